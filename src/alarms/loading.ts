import { uuidBytes, uuidText } from '../journal/chain.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { type AlarmRow, alarmOf, isLive } from './alarm-rows.ts';
import { type ClockReference, READ_REFERENCE, referenceNow, referenceOf, stepWhileAway } from './clock-reference.ts';
import { loadDeadlines } from './deadline-rows.ts';
import { type Deadlines, NO_DEADLINES } from './deadlines.ts';
import type { Held } from './overlay.ts';

/** What a new process starts from. Touches only live rows, however many closed alarms there are. */
export function loadBoard(journal: Journal, clock: Clock): { held: Held[]; reference: ClockReference } {
  const deadlines = loadDeadlines(journal);
  const rows = journal.select<AlarmRow>('SELECT * FROM alarms WHERE live = 1 ORDER BY n');
  const held = rows.map((row) => holding(row, deadlines.get(uuidText(row.id)) ?? NO_DEADLINES));
  const now = referenceNow(clock, journal.head());
  const saved = journal.select<Parameters<typeof referenceOf>[0]>(READ_REFERENCE)[0];
  if (saved === undefined) return { held, reference: now };
  const ms = stepWhileAway(referenceOf(saved), journal.entry(journal.head()), now);
  return { held, reference: { ...now, wall: now.wall - ms } };
}

/** An alarm that is not in memory, from its row. */
export function heldOf(journal: Journal, id: string): Held | undefined {
  if (!/^[0-9a-f-]{36}$/.test(id)) return undefined;
  const row = journal.select<AlarmRow>('SELECT * FROM alarms WHERE id = ?', uuidBytes(id))[0];
  return row === undefined || isLive(alarmOf(row)) ? undefined : holding(row, NO_DEADLINES);
}

/** @param key as `keyOf` makes it */
export function newestWithKey(journal: Journal, key: string): string | null {
  const [device, category, mode] = key.split('\n');
  const row = journal.select<{ id: Buffer }>(
    'SELECT id FROM alarms WHERE device = ? AND category = ? AND drill = ? AND (? OR replayed = ?) ORDER BY n DESC LIMIT 1',
    device,
    category,
    mode === 'drill' ? 1 : 0,
    mode === 'drill' ? 1 : 0,
    mode === 'replayed' ? 1 : 0,
  )[0];
  return row === undefined ? null : uuidText(row.id);
}

function holding(row: AlarmRow, deadlines: Deadlines): Held {
  const alarm = alarmOf(row);
  const { entered } = row;
  return { alarm, deadlines, entered, heard: null, stored: { alarm, deadlines, entered } };
}
