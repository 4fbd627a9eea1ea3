import { writeFileSync } from 'node:fs';
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

/**
 * The same for a child that leads a session of its own: Linux shares processors between sessions first (sched(7),
 * autogroup), and the niceness of a process counts within its session alone.
 */
export function sessionGivesWay(pid: number, niceness: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // No Linux, no autogroups, or it has ended meanwhile.
  }
}
