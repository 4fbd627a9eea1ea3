import type { Database } from 'better-sqlite3';
import { bodyHash, GENESIS, link, uuidText } from './chain.ts';

export interface Verification {
  /** Entries whose link was recomputed. */
  readonly entries: number;
  /** Seq of the newest entry; 0 for none. */
  readonly head: number;
  /** Entries whose body has been erased; covered by their hash. */
  readonly erased: number;
  /** Entries removed by retention; covered by anchors. */
  readonly removed: number;
  /** The first place where the chain does not hold; `null` when it does. */
  readonly broken: { readonly seq: number; readonly why: string } | null;
}

interface Row {
  seq: number;
  id: Buffer;
  kind: string;
  actor: string;
  subject: string | null;
  wall: number;
  boot: string | null;
  mono: number;
  clock: number;
  device_time: number | null;
  lane: number | null;
  key: Buffer | null;
  hash: Buffer;
  body_hash: Buffer | null;
  body: string | null;
}

interface Anchor {
  first: number;
  last: number;
  hash: Buffer;
}

/**
 * Walks the chain and stops at the first break: an entry changed, removed, inserted or out of order. Reads in one pass
 * and keeps one row in memory.
 * @param options.newest only that many of the newest entries; default all
 */
export function verifyChain(db: Database, options: { newest?: number } = {}): Verification {
  const anchors = db.prepare('SELECT first, last, hash FROM anchors ORDER BY first').all() as Anchor[];
  const top = Math.max(
    db.prepare('SELECT coalesce(max(seq), 0) FROM entries').pluck().get() as number,
    anchors.at(-1)?.last ?? 0,
  );
  const from = options.newest === undefined ? 1 : Math.max(1, top - options.newest + 1);
  const state = { entries: 0, head: top, erased: 0, removed: 0 };
  const broken = (seq: number, why: string): Verification => ({ ...state, broken: { seq, why } });

  let nextAnchor = anchors.findIndex((anchor) => anchor.last >= from);
  if (nextAnchor === -1) nextAnchor = anchors.length;
  let expected = from;
  let before = GENESIS;
  const skip = (): void => {
    for (let a = anchors[nextAnchor]; a !== undefined && a.first <= expected; a = anchors[nextAnchor]) {
      state.removed += a.last - Math.max(a.first, from) + 1;
      expected = a.last + 1;
      before = a.hash;
      nextAnchor += 1;
    }
  };
  skip();
  if (expected === from && from > 1) {
    const previous = db
      .prepare('SELECT hash FROM entries WHERE seq = ?')
      .pluck()
      .get(from - 1) as Buffer | undefined;
    const anchor = anchors[nextAnchor - 1] ?? anchors.findLast(({ last }) => last === from - 1);
    const start = previous ?? (anchor?.last === from - 1 ? anchor.hash : undefined);
    if (start === undefined) return broken(from - 1, 'the entry is missing');
    before = start;
  }
  const rows = db
    .prepare(
      `SELECT e.seq, e.id, e.kind, e.actor, e.subject, e.wall, b.boot, e.mono, e.clock, e.device_time, e.lane, e.key,
              e.hash, e.body_hash, e.body
       FROM entries e LEFT JOIN boots b ON b.n = e.boot WHERE e.seq >= ? ORDER BY e.seq`,
    )
    .iterate(expected) as IterableIterator<Row>;
  for (const row of rows) {
    skip();
    if (row.seq !== expected)
      return broken(expected, row.seq > expected ? 'the entry is missing' : 'the entry was removed, yet is there');
    const why = fault(row, before);
    if (why !== null) return broken(row.seq, why);
    state.entries += 1;
    if (row.body === null) state.erased += 1;
    before = row.hash;
    expected += 1;
  }
  skip();
  return expected === top + 1 ? { ...state, broken: null } : broken(expected, 'the entry is missing');
}

function fault(row: Row, before: Buffer): string | null {
  if (row.boot === null) return 'its boot is not recorded';
  if ((row.body === null) !== (row.body_hash !== null)) return 'its body does not fit its hash';
  const hash = link(
    before,
    {
      seq: row.seq,
      id: uuidText(row.id),
      kind: row.kind,
      actor: row.actor,
      subject: row.subject,
      wall: row.wall,
      boot: row.boot,
      mono: row.mono,
      clock: row.clock === 1 ? 'synced' : 'unsynced',
      deviceTime: row.device_time,
      lane: row.lane,
      key: row.key?.toString('hex') ?? null,
    },
    row.body_hash ?? bodyHash(row.body ?? ''),
  );
  return hash.equals(row.hash) ? null : 'its hash does not follow from it and the entry before it';
}
