import { signalGroup } from '../command/group-kill.ts';

/** Of the groups that are ended when this process ends while they run. */
const leaders = new Set<number>();

/**
 * Sees to it that a process and its group do not outlive this one.
 * @returns what ends the care; to be called when the process is gone.
 */
export function endGroupWithParent(leader: number): () => void {
  if (leaders.size === 0) process.on('exit', endAll);
  leaders.add(leader);
  return () => {
    leaders.delete(leader);
    if (leaders.size === 0) process.off('exit', endAll);
  };
}

function endAll(): void {
  for (const leader of leaders) signalGroup(leader, 'SIGKILL');
}
