import type { Journal } from './journal.ts';

/** Before this the program did not exist: a clock that says so has lost its battery. */
const EARLIEST = Date.UTC(2026, 0, 1);
/** Rows looked at in one step. */
export const STEP = 1_000;
/** How many steps of entries with an impossible time are looked past. */
const LOOK_AHEAD = 50;

/**
 * Up to which entry everything is older than `cutoff`, as far as one step after `after` shows. Order of `seq` is order
 * of commit, so an entry is at least as old as any later one: an entry whose own time cannot be (a clock of 1970, one
 * of 2099) is neither kept for ever nor thrown away at once; its neighbours decide.
 * @returns a seq, or `null` when nothing after `after` is old enough
 */
export function oldUpTo(journal: Journal, after: number, cutoff: number, now: number): number | null {
  let from = after;
  for (let step = 0; step < LOOK_AHEAD; step += 1) {
    const rows = journal.select<{ seq: number; wall: number }>(
      'SELECT seq, wall FROM entries WHERE seq > ? ORDER BY seq LIMIT ?',
      from,
      STEP,
    );
    const possible = rows.filter(({ wall }) => wall >= EARLIEST && wall <= now);
    const old = possible.findLast(({ wall }) => wall <= cutoff);
    if (old !== undefined) return old.seq;
    if (possible.length > 0 || rows.length < STEP) return null;
    from = rows.at(-1)?.seq ?? from;
  }
  return null;
}

/** Whether a clock can be believed enough to let records go by it. */
export const believable = (wall: number): boolean => wall >= EARLIEST;
