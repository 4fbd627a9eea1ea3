import type { Database, Statement } from 'better-sqlite3';
import { invariant } from '../kernel/errors.ts';
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
      return this.#bySubject(subject, options, filters, params);
    }
    if (lanes !== undefined) {
      if (kinds !== undefined) all('kind', kinds);
      return this.#merge(
        options,
        lanes.map((lane) => this.#rows(options, ['lane = ?', ...filters], [lane, ...params])),
      );
    }
    if (kinds === undefined) return this.#merge(options, [this.#rows(options, [], [])]);
    const parts = kinds.map((kind) =>
      // Spelled out again so that the planner sees that the partial index covers it.
      this.#rows(options, kind === UNINDEXED ? ['kind = ?'] : ['kind = ?', `kind <> '${UNINDEXED}'`], [kind]),
    );
    return this.#merge(options, parts);
  }

  /** Rows of a room's own tables; statements are kept prepared. */
  select<T>(sql: string, ...params: unknown[]): T[] {
    return this.#guard(() => this.#prepare(sql).all(...params) as T[]);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  /** The index knows everything but messages; for those, segments tell which stretches are worth a look. */
  #bySubject(subject: string, options: ReadOptions, filters: string[], params: unknown[]): Entry[] {
    const { kinds, limit, newestFirst = false } = options;
    const parts: Row[][] = [];
    if (kinds === undefined || kinds.some((kind) => kind !== UNINDEXED)) {
      parts.push(this.#rows(options, ['subject = ?', `kind <> '${UNINDEXED}'`, ...filters], [subject, ...params]));
    }
    if (kinds === undefined || kinds.includes(UNINDEXED)) {
      const found: Row[] = [];
      for (const { after, last } of this.#segments(subject, newestFirst)) {
        const within = {
          ...options,
          after: Math.max(after, options.after ?? 0),
          before: Math.min(last + 1, options.before ?? Number.MAX_SAFE_INTEGER),
          limit: limit - found.length,
        };
        if (within.after >= within.before) continue;
        found.push(...this.#rows(within, [`+kind = '${UNINDEXED}'`, '+subject = ?', ...filters], [subject, ...params]));
        if (found.length >= limit) break;
      }
      parts.push(found);
    }
    return this.#merge(options, parts);
  }

  #segments(subject: string, newestFirst: boolean): { after: number; last: number }[] {
    const segments = this.select<{ last: number; after: number; hit: number }>(
      `SELECT last, coalesce(lag(last) OVER (ORDER BY last), 0) AS after, instr(subjects, ?) > 0 AS hit
       FROM segments ORDER BY last`,
      `,${subject},`,
    );
    const stretches = segments.filter(({ hit }) => hit === 1).map(({ after, last }) => ({ after, last }));
    stretches.push({ after: segments.at(-1)?.last ?? 0, last: Number.MAX_SAFE_INTEGER - 1 });
    return newestFirst ? stretches.reverse() : stretches;
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
