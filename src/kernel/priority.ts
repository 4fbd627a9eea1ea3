import { constants, getPriority, setPriority } from 'node:os';

/** Steps of niceness between a process and those that work for it: each counts for about a fifth less processor time. */
const STEPS = 3;

/**
 * Puts a process behind this one, where both want a processor. Threads that it makes from then on go with it.
 * @param pid of a child; default: this process, behind whoever started it
 */
export function giveWay(pid = 0): void {
  try {
    setPriority(pid, Math.min(constants.priority.PRIORITY_LOW, getPriority() + STEPS));
  } catch {
    // It has ended meanwhile, or the system does not let us: then it goes on as it is.
  }
}
