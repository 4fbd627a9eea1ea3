import { ENTRY_KINDS, type Entry, type EntryKind, type Lane } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';

/** All that the lanes need of the journal. */
export type LaneSource = Pick<Journal, 'read' | 'head' | 'count'>;

export const ALARM_KINDS: readonly EntryKind[] = ENTRY_KINDS.filter((kind) => kind.startsWith('alarm.'));
const REPEATED: readonly EntryKind[] = ['alarm.repeated'];
const TRANSITIONS: readonly EntryKind[] = ALARM_KINDS.filter((kind) => kind !== 'alarm.repeated');
/** No alarm has this many transitions; a bound all the same. */
const MOST_TRANSITIONS = 10_000;

/** A stretch of the journal: after `after`, up to and including `upTo`. */
export interface Stretch {
  readonly after: number;
  readonly upTo: number;
}

/** Seq of the newest entry of an alarm in a lane and stretch; 0 for none. */
export function newestOf(source: LaneSource, subject: string, lane: Lane, { after, upTo }: Stretch): number {
  const [newest] = source.read({
    subject,
    kinds: ALARM_KINDS,
    lanes: [lane],
    after,
    before: upTo + 1,
    limit: 1,
    newestFirst: true,
  });
  return newest?.seq ?? 0;
}

/** What of an alarm lies in a lane and stretch, oldest first; of its repetitions only one that none follows anywhere. */
export function transitionsOf(source: LaneSource, subject: string, lane: Lane, { after, upTo }: Stretch): Entry[] {
  const where = { subject, lanes: [lane], after, before: upTo + 1 };
  const transitions = source.read({ ...where, kinds: TRANSITIONS, limit: MOST_TRANSITIONS });
  const repeated = source
    .read({ ...where, kinds: REPEATED, limit: 1, newestFirst: true })
    .filter(({ seq }) => !repeatedAfter(source, subject, seq));
  return [...transitions, ...repeated].sort((a, b) => a.seq - b.seq);
}

/** Whether the alarm was repeated again after `seq`. */
export const repeatedAfter = (source: LaneSource, subject: string, seq: number): boolean =>
  source.read({ subject, kinds: REPEATED, after: seq, limit: 1 }).length > 0;

/** Whether a lane has anything at all in a stretch. */
export const anyIn = (source: LaneSource, lane: Lane, { after, upTo }: Stretch): boolean =>
  upTo > after && source.read({ lanes: [lane], after, before: upTo + 1, limit: 1 }).length > 0;
