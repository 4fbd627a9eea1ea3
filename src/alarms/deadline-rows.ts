import { uuidBytes, uuidText } from '../journal/chain.ts';
import type { Change } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { type Deadlines, NO_DEADLINES } from './deadlines.ts';

type What = keyof Deadlines;

interface DeadlineRow {
  alarm: Buffer;
  what: What;
  due: number | null;
  every: number;
  missed: number;
}

const PUT = `INSERT INTO deadlines VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (alarm, what) DO UPDATE SET due = excluded.due, every = excluded.every, missed = excluded.missed`;
const DROP = 'DELETE FROM deadlines WHERE alarm = ? AND what = ?';
const WHATS: readonly What[] = ['acknowledge', 'close', 'shelve'];

/** What turns the rows of `before` into those of `after`. @param id of the alarm */
export function deadlineChanges(id: string, before: Deadlines, after: Deadlines): Change[] {
  if (before === after) return [];
  return WHATS.flatMap((what): Change[] => {
    const [old, now] = [valuesOf(before, what), valuesOf(after, what)];
    if (now === null) return old === null ? [] : [{ sql: DROP, params: [uuidBytes(id), what] }];
    if (old !== null && now.every((value, i) => value === old[i])) return [];
    return [{ sql: PUT, params: [uuidBytes(id), what, ...now] }];
  });
}

function valuesOf(deadlines: Deadlines, what: What): (number | null)[] | null {
  if (what === 'shelve') return deadlines.shelve === null ? null : [Math.round(deadlines.shelve), 0, 0];
  const deadline = deadlines[what];
  if (deadline === null) return null;
  return [deadline.due === null ? null : Math.round(deadline.due), deadline.every, deadline.missed];
}

/** Every deadline on disk, by the id of its alarm. */
export function loadDeadlines(journal: Journal): Map<string, Deadlines> {
  const all = new Map<string, Deadlines>();
  for (const { alarm, what, due, every, missed } of journal.select<DeadlineRow>('SELECT * FROM deadlines')) {
    const id = uuidText(alarm);
    const deadlines = all.get(id) ?? NO_DEADLINES;
    all.set(id, { ...deadlines, [what]: what === 'shelve' ? due : { due, every, missed } });
  }
  return all;
}
