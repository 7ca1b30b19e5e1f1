import { spawn } from 'node:child_process';
import { join } from 'node:path';

/**
 * Sends a signal to the processes of the group that a process leads; none of them left is well too.
 * Windows has no groups and no signals: the process and those that it started are ended there, as far
 * as the system still knows them.
 */
export function signalGroup(leader: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (process.platform === 'win32') {
    endTree(leader);
    return;
  }
  try {
    process.kill(-leader, signal);
  } catch {
    // They are gone, or have become another user's.
  }
}

function endTree(leader: number): void {
  const tool = join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'taskkill.exe');
  spawn(tool, ['/pid', String(leader), '/t', '/f'], { stdio: 'ignore', windowsHide: true }).on(
    'error',
    () => {},
  );
}
