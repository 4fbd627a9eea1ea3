import type { Journal } from '../journal/journal.ts';
import type { Log } from '../kernel/log.ts';
import { ALARM_KINDS, type Alarm, type AlarmEntryBody } from './alarm.ts';
import { foldChange } from './alarm-rows.ts';

/** Entries folded in one transaction. */
const CHUNK = 2_000;
/** The cursor that says how far a rebuild under way has come; 0 when none is. */
const CURSOR = 'alarms.rebuild';
const SET_CURSOR = 'INSERT INTO cursors VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq';

/** A rebuild that was cut short left the table half full. */
export const rebuildUnderWay = (journal: Journal): boolean => positionOf(journal) > 0;

/**
 * Makes the table of alarms anew out of the journal, which is the record it is a projection of: each alarm is what its
 * newest entry says. Cut short, it goes on where it was. Only before a board is loaded.
 * @returns entries read
 * @throws QuanweiError STORAGE_*
 */
export async function rebuildAlarms(journal: Journal, log: Log): Promise<number> {
  let position = positionOf(journal);
  if (position === 0) {
    position = 1;
    await journal.write([{ sql: 'DELETE FROM alarms', params: [] }, marker(position)]);
  }
  let read = 0;
  for (;;) {
    const entries = journal.read({ after: position - 1, limit: CHUNK, kinds: ALARM_KINDS });
    const last = entries.at(-1);
    if (last === undefined) break;
    const alarms = new Map<string, Alarm>();
    for (const { body } of entries) {
      // A body that was erased says nothing any more; an earlier or later entry of the alarm may.
      if (body !== null) alarms.set((body as AlarmEntryBody).alarm.id, (body as AlarmEntryBody).alarm);
    }
    position = last.seq + 1;
    await journal.write([...[...alarms.values()].map(foldChange), marker(position)]);
    read += entries.length;
  }
  await journal.write([
    { sql: 'DELETE FROM deadlines WHERE alarm NOT IN (SELECT id FROM alarms WHERE live = 1)', params: [] },
    marker(0),
  ]);
  log.info({ entries: read }, 'the table of alarms was rebuilt from the journal');
  return read;
}

const marker = (position: number) => ({ sql: SET_CURSOR, params: [CURSOR, position] });

const positionOf = (journal: Journal): number =>
  journal.select<{ seq: number }>('SELECT seq FROM cursors WHERE name = ?', CURSOR)[0]?.seq ?? 0;
