import type { Journal } from '../journal/journal.ts';

/** Rows deleted in one transaction: a fire alarm that comes meanwhile waits for one of these, not for all. */
const CHUNK = 500;

/**
 * Lets go of the rows of alarms closed before `before`, as retention lets go of their entries.
 * @param before ms since the epoch
 * @returns how many went
 * @throws QuanweiError STORAGE_*
 */
export async function forgetAlarms(journal: Journal, before: number): Promise<number> {
  for (let gone = 0; ; ) {
    const rows = journal.select<{ n: number }>(
      'SELECT n FROM alarms WHERE raised_at < ? AND live = 0 AND closed_at < ? ORDER BY raised_at LIMIT ?',
      before,
      before,
      CHUNK,
    );
    if (rows.length === 0) return gone;
    await journal.write(rows.map(({ n }) => ({ sql: 'DELETE FROM alarms WHERE n = ?', params: [n] })));
    gone += rows.length;
  }
}
