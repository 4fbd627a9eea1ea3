import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';

/** Steps of niceness between a process and those that work for it: each counts for about a fifth less processor time. */
const STEPS = 3;

/** Niceness of a program that comes last, and of the session it may lead. */
const LAST = 10;
const LAST_SESSION = constants.priority.PRIORITY_LOW;

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

/**
 * Puts this whole program, with the threads it has by now, behind everybody else: however it was started, and by whom. A
 * session that it leads is shared with nobody who should not come last (`sessionGivesWay`).
 */
export function comeLast(): void {
  try {
    for (const thread of readdirSync('/proc/self/task')) raise(Number(thread));
    // `pid (name) state parent group session …`; the name may hold anything.
    const [, , , session] = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    if (Number(session) === process.pid) sessionGivesWay(process.pid, LAST_SESSION);
  } catch {
    // No Linux: then it goes on as it is.
  }
}

function raise(thread: number): void {
  try {
    setPriority(thread, Math.max(LAST, getPriority(thread)));
  } catch {
    // It has ended meanwhile, or the system does not let us; the others come last all the same.
  }
}
