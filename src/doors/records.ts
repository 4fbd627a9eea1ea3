import type { DeviceEvent } from '../devices/event.ts';
import type { Entry, EntryKind } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { seqBefore } from '../journal/moment.ts';
import { turns } from '../kernel/turns.ts';

/**
 * `passed` let through by the door itself · `refused` not let through · `opened` from here, by a person, the centre, a
 * fire or a face · `seen` somebody or something was recognised or shown, nothing decided · `door` forced, held, its state.
 */
export const DOOR_RECORD_KINDS = ['passed', 'refused', 'opened', 'seen', 'door'] as const;
export type DoorRecordKind = (typeof DOOR_RECORD_KINDS)[number];

export interface DoorRecord {
  readonly seq: number;
  /** Of the events of one message. */
  readonly n: number;
  /** Id of the journal entry. */
  readonly id: string;
  readonly at: number;
  readonly deviceTime: number | null;
  readonly door: string;
  readonly kind: DoorRecordKind;
  /** Of the event; `null` when the door was opened from here. */
  readonly category: string | null;
  /** Begins, for a state; `true` for what merely happened. */
  readonly active: boolean;
  readonly replayed: boolean;
  readonly detail: DeviceEvent['detail'];
  /** Who opened it: `user:NAME`, `centre`, `system`, `device:ID`. */
  readonly actor: string;
  readonly source: string | null;
  readonly reason: string | null;
  /** What came of it; `null` while nobody knows, and for what was not opened from here. */
  readonly result: { readonly ok: boolean; readonly code: string; readonly detail: string; readonly ms: number } | null;
}

export interface DoorRecordFilter {
  readonly door?: string | undefined;
  readonly kinds?: readonly DoorRecordKind[] | undefined;
  /** In who it was, the card, the reason, who opened, the name of the door. */
  readonly text?: string | undefined;
  /** ms since the epoch; at or after, and before. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** `seq` to go on from. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export interface DoorRecordPage {
  readonly records: DoorRecord[];
  /** Where to go on, also when this page is short or empty; `null`: that was all. */
  readonly next: number | null;
}

/** Entries read at once, and looked at for one page: the search shares its thread with fire alarms. */
const STEP = 250;
const LOOKED_AT = 4_000;
/** An entry may be stamped a little before its neighbours; what is older than this is past the beginning, ms. */
const SLACK_MS = 3_600_000;

const OPENED: readonly EntryKind[] = ['door.command', 'door.decision'];

/**
 * Who passed, who was refused, who opened what: newest first, over all doors or one. Looks at a bounded number of entries,
 * and lets others have their turn in between.
 */
export async function doorRecords(
  journal: Journal,
  filter: DoorRecordFilter,
  now: number,
  nameOf: (door: string) => string,
): Promise<DoorRecordPage> {
  const { from = 0, to, limit } = filter;
  const words = (filter.text ?? '')
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const records: DoorRecord[] = [];
  let before = filter.before ?? (to === undefined ? Number.MAX_SAFE_INTEGER : seqBefore(journal, to + SLACK_MS, now));
  const turn = turns();
  for (let looked = 0; looked < LOOKED_AT; ) {
    const entries = await stretch(journal, filter.door, before);
    for (const entry of entries) {
      looked += 1;
      before = entry.seq;
      if (entry.wall < from - SLACK_MS) return { records, next: null };
      if (entry.wall < from || (to !== undefined && entry.wall >= to)) continue;
      const found = recordsOf(entry).filter(
        (one) =>
          (filter.kinds === undefined || filter.kinds.includes(one.kind)) &&
          (words.length === 0 || fits(one, nameOf(one.door), words)),
      );
      records.push(...found.map((one) => withResult(journal, entry, one)));
      // What came of it is a question of its own.
      if (entry.kind === 'door.command') await turn();
      if (records.length >= limit) return { records, next: entry.seq };
    }
    if (entries.length < STEP) return { records, next: null };
    await turn();
  }
  return { records, next: before };
}

/** The next entries that may tell of a door, newest first; fewer than `STEP` only when there are no more. */
async function stretch(journal: Journal, door: string | undefined, before: number): Promise<Entry[]> {
  const page = { before, limit: STEP, newestFirst: true };
  if (door !== undefined) return journal.readInTurns({ ...page, subject: door, kinds: ['message', ...OPENED] });
  const told = await journal.readInTurns({ ...page, kinds: ['message', 'door.command'], lanes: [2] });
  const decided = journal.read({ ...page, kinds: ['door.decision'] });
  // Below the end of a list that was cut nothing is known of the other.
  return [...told, ...decided].sort((a, b) => b.seq - a.seq).slice(0, STEP);
}

const KIND_OF: Readonly<Record<string, DoorRecordKind>> = {
  'access.granted': 'passed',
  'access.denied': 'refused',
  'access.stranger': 'refused',
  'access.blocklist': 'refused',
  'access.presented': 'seen',
  'access.seen': 'seen',
};

function recordsOf(entry: Entry): DoorRecord[] {
  const { seq, id, wall, deviceTime, actor, subject, body } = entry;
  const common = {
    seq,
    n: 0,
    id,
    at: wall,
    deviceTime,
    door: subject ?? '',
    category: null,
    active: true,
    replayed: false,
    detail: {},
    actor,
    source: null,
    reason: null,
    result: null,
  } satisfies Omit<DoorRecord, 'kind'>;
  if (body === null) return [];
  if (entry.kind === 'door.command') {
    const { command, source, reason, ...detail } = body as Record<string, string>;
    return [{ ...common, kind: 'opened', source: source ?? null, reason: reason ?? null, detail }];
  }
  if (entry.kind === 'door.decision') {
    const { opened, person, why, similarity } = body as Record<string, string | number | boolean | null>;
    // When it did open there is a command of its own.
    if (opened === true) return [];
    return [
      {
        ...common,
        kind: 'refused',
        source: 'face',
        reason: String(why ?? ''),
        detail: { person: person ?? '', similarity: similarity ?? null },
      },
    ];
  }
  const { events = [] } = body as { events?: readonly DeviceEvent[] };
  return events.flatMap((event, n) => {
    const kind = KIND_OF[event.category] ?? (event.category.startsWith('door.') ? 'door' : undefined);
    if (kind === undefined) return [];
    const { category, active, replayed, detail, device } = event;
    return [{ ...common, n, kind, category, active, replayed, detail, door: device }];
  });
}

/** What came of a command: in the next entries of that door. */
function withResult(journal: Journal, entry: Entry, record: DoorRecord): DoorRecord {
  if (entry.kind !== 'door.command') return record;
  const results = journal.read({ subject: record.door, kinds: ['door.result'], after: entry.seq, limit: 30 });
  for (const { body } of results) {
    const result = body as { command?: string; ok: boolean; code: string; detail: string; ms: number } | null;
    if (result?.command !== entry.id) continue;
    const { ok, code, detail, ms } = result;
    return { ...record, result: { ok, code, detail, ms } };
  }
  return record;
}

function fits(record: DoorRecord, doorName: string, words: readonly string[]): boolean {
  const { door, actor, reason, detail } = record;
  const said = [door, doorName, actor.replace(/^\w+:/, ''), reason ?? '', ...Object.values(detail).map(String)]
    .join('\n')
    .toLowerCase();
  return words.every((word) => said.includes(word));
}
