// What a fresh clone lacks, and how it gets it. Plain Node: runs before anything is installed.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Says what is being done, on stderr, so that stdout stays the command's own. */
export function say(message) {
  process.stderr.write(`${message}\n`);
}

/**
 * Runs a program with its output shown and ends the process with its exit code if it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (result.error) {
    say(`${command} could not be started: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/**
 * Installs a folder's locked dependencies unless exactly these are installed already.
 * @param {string} folder relative to the repository's root
 * @param {string} what named in the message
 */
export function ensureInstalled(folder, what) {
  const lock = readFileSync(join(ROOT, folder, 'package-lock.json'));
  const stamp = join(ROOT, folder, 'node_modules', '.locked');
  const wanted = `${createHash('sha256').update(lock).digest('hex')} ${process.platform} ${process.arch}\n`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say(`Installing ${what} (npm ci)`);
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: join(ROOT, folder),
    // npm's own summary is for stderr: stdout belongs to the command that was asked for.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  writeFileSync(stamp, wanted);
}

/** Ends the process on a Node that is too old. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  say(`Node ${process.versions.node} is too old: Touchstone needs 20.19 or newer`);
  process.exit(1);
}
