import type { Journal } from './journal.ts';

/** Before this the program did not exist. */
const EARLIEST = Date.UTC(2026, 0, 1);

/**
 * A seq from which on, going back, nothing stamped before `wall` is missed. Order of `seq` is order of commit and so, but
 * for steps of the clock, of time: halved until found. An entry whose time cannot be sends the search on, never back, so
 * that at worst more is looked at than needed.
 * @param wall ms since the epoch
 * @param now the gateway's wall clock; nothing can be stamped later
 */
export function seqBefore(journal: Pick<Journal, 'head' | 'select'>, wall: number, now: number): number {
  let [low, high] = [0, journal.head() + 1];
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2);
    const [row] = journal.select<{ seq: number; wall: number }>(
      'SELECT seq, wall FROM entries WHERE seq >= ? ORDER BY seq LIMIT 1',
      middle,
    );
    if (row === undefined) high = middle;
    else if (row.wall >= wall && row.wall >= EARLIEST && row.wall <= now) high = middle;
    else low = Math.max(middle, row.seq);
  }
  return high;
}
