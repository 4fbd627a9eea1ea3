import type { Database, Statement } from 'better-sqlite3';
import { invariant } from '../kernel/errors.ts';
import { turns } from '../kernel/turns.ts';
import { uuidText } from './chain.ts';
import { databaseFile, openForReading, storageError } from './database.ts';
import type { Entry, EntryKind, Lane } from './entry.ts';
import { checkVersion } from './migrate.ts';
import { UNINDEXED } from './summaries.ts';
import { lastLink } from './writer.ts';

export interface ReadOptions {
  /** Only entries with a larger `seq`. */
  readonly after?: number;
  /** Only entries with a smaller `seq`. */
  readonly before?: number;
  readonly limit: number;
  readonly kinds?: readonly EntryKind[];
  readonly lanes?: readonly Lane[];
  readonly subject?: string;
  /** `true`: newest first. Default oldest first. */
  readonly newestFirst?: boolean;
}

interface Row {
  seq: number;
  id: Buffer;
  kind: EntryKind;
  actor: string;
  subject: string | null;
  wall: number;
  boot: number;
  mono: number;
  clock: number;
  device_time: number | null;
  lane: Lane | null;
  body: string | null;
}

const COLUMNS = 'seq, id, kind, actor, subject, wall, boot, mono, clock, device_time, lane, body';
const STATEMENTS = 200;
/** Segments looked at in one question. */
const SEGMENTS_AT_ONCE = 32;

/** Reads a journal, beside a running gateway or after it; never waits for the writer and never blocks it. */
export class JournalReader {
  readonly #db: Database;
  readonly #statements = new Map<string, Statement>();
  readonly #boots = new Map<number, string>();

  private constructor(db: Database) {
    this.#db = db;
  }

  /**
   * @param dir the data directory
   * @throws QuanweiError NOT_FOUND, STORAGE_NEWER, STORAGE_CORRUPT, STORAGE_UNAVAILABLE
   */
  static open(dir: string): JournalReader {
    const file = databaseFile(dir);
    const db = openForReading(file);
    try {
      checkVersion(db);
      return new JournalReader(db);
    } catch (thrown) {
      db.close();
      throw storageError(thrown, file);
    }
  }

  /** The connection itself, for those of this room that walk the whole file. */
  get database(): Database {
    return this.#db;
  }

  /** Seq of the newest entry on disk; 0 for none. */
  head(): number {
    return this.#guard(() => lastLink(this.#db).seq);
  }

  entry(seq: number): Entry | null {
    const row = this.select<Row>(`SELECT ${COLUMNS} FROM entries WHERE seq = ?`, seq)[0];
    return row === undefined ? null : this.#entry(row);
  }

  read(options: ReadOptions): Entry[] {
    const pieces = this.#inPieces(options);
    for (;;) {
      const { done, value } = pieces.next();
      if (done === true) return value;
    }
  }

  /**
   * The same for whoever shares a thread with fire alarms: a question that only looking at much answers, such as the
   * messages of a device that says little, is answered piece by piece. What was appended meanwhile may be in it or not.
   * @param sliceMs how long at a time; 0: others get their turn after each piece
   */
  async readInTurns(options: ReadOptions, sliceMs?: number): Promise<Entry[]> {
    const pieces = this.#inPieces(options);
    const turn = turns(sliceMs);
    for (;;) {
      const { done, value } = pieces.next();
      if (done === true) return value;
      await turn();
    }
  }

  /** Rests after every piece, of some thousand entries at most. */
  *#inPieces(options: ReadOptions): Generator<undefined, Entry[]> {
    const { limit, kinds, lanes, subject } = options;
    if (limit <= 0 || kinds?.length === 0 || lanes?.length === 0) return [];
    const filters: string[] = [];
    const params: unknown[] = [];
    const all = <T>(column: string, values: readonly T[]) => {
      filters.push(`${column} IN (${values.map(() => '?').join(', ')})`);
      params.push(...values);
    };
    if (subject !== undefined) {
      if (kinds !== undefined) all('kind', kinds);
      if (lanes !== undefined) all('lane', lanes);
      return yield* this.#bySubject(subject, options, filters, params);
    }
    if (lanes !== undefined) {
      if (kinds !== undefined) all('kind', kinds);
      return yield* this.#byLanes(lanes, options, filters, params);
    }
    if (kinds === undefined) return this.#merge(options, [this.#rows(options, [], [])]);
    const parts = kinds.map((kind) =>
      // Spelled out again so that the planner sees that the partial index covers it.
      this.#rows(options, kind === UNINDEXED ? ['kind = ?'] : ['kind = ?', `kind <> '${UNINDEXED}'`], [kind]),
    );
    return this.#merge(options, parts);
  }

  /** Entries of a lane after a seq; of lanes 2 and 3 also those that have since been removed, whole segments at a time. */
  count(lane: Lane, after: number): number {
    const exact = (where: string, ...params: unknown[]) =>
      this.select<{ n: number }>(`SELECT count(*) AS n FROM entries WHERE ${where}`, ...params)[0]?.n ?? 0;
    if (lane < 2) return exact('lane = ? AND lane IN (0, 1) AND seq > ?', lane, after);
    const [whole] = this.select<{ n: number; last: number; first: number }>(
      `SELECT coalesce(sum(lane${lane}), 0) AS n, coalesce(max(last), 0) AS last,
              coalesce((SELECT min(last) FROM segments WHERE last >= ?), 0) AS first
       FROM segments WHERE last > (SELECT min(last) FROM segments WHERE last >= ?)`,
      after,
      after,
    );
    const { n, last, first } = whole ?? { n: 0, last: 0, first: 0 };
    // The segment the seq lies in, and what has no segment yet.
    const begun = first === 0 ? 0 : exact('+lane = ? AND seq > ? AND seq <= ?', lane, after, first);
    return n + begun + exact('+lane = ? AND seq > ?', lane, Math.max(after, first, last));
  }

  /** Rows of a room's own tables; statements are kept prepared. */
  select<T>(sql: string, ...params: unknown[]): T[] {
    return this.#guard(() => this.#prepare(sql).all(...params) as T[]);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  /** Urgent lanes have an index; for the others, segments tell which stretches are worth a look. */
  *#byLanes(
    lanes: readonly Lane[],
    options: ReadOptions,
    filters: string[],
    params: unknown[],
  ): Generator<undefined, Entry[]> {
    const parts = lanes
      .filter((lane) => lane < 2)
      .map((lane) => this.#rows(options, ['lane = ?', 'lane IN (0, 1)', ...filters], [lane, ...params]));
    const bulk = lanes.filter((lane) => lane >= 2);
    if (bulk.length > 0) {
      const holds = bulk.map((lane) => `lane${lane} > 0`).join(' OR ');
      parts.push(yield* this.#inSegments(holds, [], options, [`lane IN (${bulk.join(', ')})`, ...filters], params));
    }
    return this.#merge(options, parts);
  }

  /** The index knows everything but messages; for those, segments tell which stretches are worth a look. */
  *#bySubject(
    subject: string,
    options: ReadOptions,
    filters: string[],
    params: unknown[],
  ): Generator<undefined, Entry[]> {
    const { kinds } = options;
    const parts: Row[][] = [];
    if (kinds === undefined || kinds.some((kind) => kind !== UNINDEXED)) {
      parts.push(this.#rows(options, ['subject = ?', `kind <> '${UNINDEXED}'`, ...filters], [subject, ...params]));
    }
    if (kinds === undefined || kinds.includes(UNINDEXED)) {
      const messages = [`+kind = '${UNINDEXED}'`, '+subject = ?', ...filters];
      parts.push(
        yield* this.#inSegments('instr(subjects, ?) > 0', [`,${subject},`], options, messages, [subject, ...params]),
      );
    }
    return this.#merge(options, parts);
  }

  *#inSegments(
    holds: string,
    holdsParams: readonly unknown[],
    options: ReadOptions,
    filters: readonly string[],
    params: readonly unknown[],
  ): Generator<undefined, Row[]> {
    const found: Row[] = [];
    for (const { after, before } of this.#stretches(holds, holdsParams, options)) {
      found.push(...this.#rows({ ...options, after, before, limit: options.limit - found.length }, filters, params));
      if (found.length >= options.limit) break;
      yield;
    }
    return found;
  }

  /** Stretches that may hold what is looked for, in the order asked for; the newest one has no segment yet. */
  *#stretches(
    holds: string,
    params: readonly unknown[],
    options: ReadOptions,
  ): Generator<{ after: number; before: number }> {
    const { after = 0, before = Number.MAX_SAFE_INTEGER, newestFirst = false } = options;
    const newest = this.select<{ last: number | null }>('SELECT max(last) AS last FROM segments')[0]?.last ?? 0;
    const tail = { after: Math.max(after, newest), before };
    if (newestFirst && tail.after + 1 < tail.before) yield tail;
    for (let bound = newestFirst ? before : after; ; ) {
      // 'first' is one more than the 'last' of the segment before.
      const segments = this.select<{ last: number; previous: number; hit: number }>(
        `SELECT last, coalesce((SELECT max(p.last) FROM segments p WHERE p.last < s.last), 0) AS previous, (${holds}) AS hit
         FROM segments s WHERE ${newestFirst ? 'previous + 1 < ? AND last > ? ORDER BY last DESC' : 'last > ? AND previous + 1 < ? ORDER BY last'}
         LIMIT ${SEGMENTS_AT_ONCE}`,
        ...params,
        bound,
        newestFirst ? after : before,
      );
      for (const { last, previous, hit } of segments) {
        if (hit === 1) yield { after: Math.max(after, previous), before: Math.min(before, last + 1) };
        bound = newestFirst ? previous + 1 : last;
      }
      if (segments.length < SEGMENTS_AT_ONCE) break;
    }
    if (!newestFirst && tail.after + 1 < tail.before) yield tail;
  }

  #rows(options: ReadOptions, filters: readonly string[], params: readonly unknown[]): Row[] {
    const { after = 0, before = Number.MAX_SAFE_INTEGER, limit, newestFirst = false } = options;
    const where = ['seq > ?', 'seq < ?', ...filters].join(' AND ');
    return this.select<Row>(
      `SELECT ${COLUMNS} FROM entries WHERE ${where} ORDER BY seq ${newestFirst ? 'DESC' : 'ASC'} LIMIT ?`,
      after,
      before,
      ...params,
      limit,
    );
  }

  #merge(options: ReadOptions, parts: readonly Row[][]): Entry[] {
    const sign = options.newestFirst === true ? -1 : 1;
    const rows = parts.length === 1 ? (parts[0] as Row[]) : parts.flat().sort((a, b) => sign * (a.seq - b.seq));
    return rows.slice(0, options.limit).map((row) => this.#entry(row));
  }

  #entry(row: Row): Entry {
    return {
      seq: row.seq,
      id: uuidText(row.id),
      kind: row.kind,
      actor: row.actor,
      subject: row.subject,
      wall: row.wall,
      boot: this.#boot(row.boot),
      mono: row.mono,
      clock: row.clock === 1 ? 'synced' : 'unsynced',
      deviceTime: row.device_time,
      lane: row.lane,
      body: row.body === null ? null : JSON.parse(row.body),
    };
  }

  #boot(n: number): string {
    let boot = this.#boots.get(n);
    if (boot === undefined) {
      boot = this.select<{ boot: string }>('SELECT boot FROM boots WHERE n = ?', n)[0]?.boot;
      invariant(boot !== undefined, `an entry names boot ${n}, which is not recorded`);
      this.#boots.set(n, boot);
    }
    return boot;
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      if (this.#statements.size >= STATEMENTS) this.#statements.clear();
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw storageError(thrown, this.#db.name);
    }
  }
}
