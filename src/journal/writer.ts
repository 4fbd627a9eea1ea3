import type { Database, Statement } from 'better-sqlite3';
import { invariant } from '../kernel/errors.ts';
import { bodyHash, GENESIS, link, uuidBytes } from './chain.ts';
import { openForWriting, storageError } from './database.ts';
import { Removal } from './removal.ts';
import { Summaries } from './summaries.ts';
import {
  type WireChange,
  type WireEntry,
  type WireError,
  type WireOutcome,
  type WireRequest,
  wireError,
} from './wire.ts';

/** Distinct statements of other rooms kept prepared. */
const STATEMENTS = 400;
/** The size of the log is looked at after as many commits and entries as fill about a third of the pages allowed. */
const LOOK_AFTER = 0.3;

export interface Commit {
  readonly outcomes: WireOutcome[];
  /** Set when nothing of it was stored. */
  readonly failure: WireError | null;
}

/**
 * The one connection that writes. Everything it is given at once is one transaction; within it each request stands or
 * falls by itself. Synchronous: it lives in a thread of its own.
 */
export class Writer {
  readonly #db: Database;
  readonly #boot: string;
  readonly #bootNumber: number;
  readonly #statements = new Map<string, Statement>();
  readonly #summaries: Summaries;
  readonly #removal: Removal;
  readonly #run: Record<'begin' | 'commit' | 'savepoint' | 'release' | 'undo' | 'insert', Statement>;
  #head: number;
  #hash: Buffer;
  #sinceLook = 0;

  private constructor(db: Database, boot: string) {
    this.#db = db;
    this.#boot = boot;
    this.#bootNumber = db.prepare('SELECT n FROM boots WHERE boot = ?').pluck().get(boot) as number;
    const last = lastLink(db);
    this.#head = last.seq;
    this.#hash = last.hash;
    this.#summaries = new Summaries(db);
    this.#removal = new Removal(db);
    this.#run = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      savepoint: db.prepare('SAVEPOINT request'),
      release: db.prepare('RELEASE request'),
      undo: db.prepare('ROLLBACK TO request'),
      insert: db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, CAST(? AS TEXT))'),
    };
  }

  /** @param boot must have its row in `boots` */
  static open(file: string, boot: string): Writer {
    const db = openForWriting(file);
    try {
      return new Writer(db, boot);
    } catch (thrown) {
      db.close();
      throw storageError(thrown, file);
    }
  }

  /** Seq of the newest entry; 0 for none. */
  get head(): number {
    return this.#head;
  }

  /** Stores the requests in one transaction. Never throws for what storage or a request does: the outcome says it. */
  commit(requests: readonly WireRequest[]): Commit {
    const head = this.#head;
    const hash = this.#hash;
    try {
      this.#run.begin.run();
      const outcomes = requests.map((request) => this.#attempt(request));
      this.#summaries.write(this.#head);
      this.#run.commit.run();
      this.#summaries.settle(true);
      this.#sinceLook += 1 + this.#head - head;
      return { outcomes, failure: null };
    } catch (thrown) {
      this.#head = head;
      this.#hash = hash;
      this.#summaries.settle(false);
      this.#rollBack();
      const failure = wireError(storageError(thrown, this.#db.name), 'INVARIANT');
      return { outcomes: requests.map(({ n }) => ({ n, error: failure })), failure };
    }
  }

  /**
   * Moves the log into the database when it has grown. Not part of a commit, so that nobody's acknowledgement waits
   * for it. Failing is harmless: the log only stays longer, and a disk that is at fault will say so to the next commit.
   * @param pages least size of the log (4 KiB each) that is worth it @param now look now, however little was written
   */
  checkpoint(pages: number, now = false): void {
    if (!now && this.#sinceLook < pages * LOOK_AFTER) return;
    this.#sinceLook = 0;
    try {
      const [state] = this.#db.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[];
      if (state !== undefined && state.log - state.checkpointed >= pages) this.#db.pragma('wal_checkpoint(PASSIVE)');
    } catch (thrown) {
      if (storageError(thrown, this.#db.name) === thrown) throw thrown;
    }
  }

  /** Empties the log, where what was erased may still stand. As harmless as `checkpoint` when it fails. */
  emptyLog(): void {
    try {
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
    } catch (thrown) {
      if (storageError(thrown, this.#db.name) === thrown) throw thrown;
    }
  }

  /** @param wall recorded as the orderly end of this process; `null` after a failure */
  close(wall: number | null): void {
    try {
      if (wall !== null) {
        this.#db.prepare('UPDATE boots SET stopped = ? WHERE n = ?').run(wall, this.#bootNumber);
        this.#db.pragma('wal_checkpoint(TRUNCATE)');
      }
    } finally {
      this.#db.close();
    }
  }

  #attempt(request: WireRequest): WireOutcome {
    const head = this.#head;
    const hash = this.#hash;
    const mark = this.#summaries.mark();
    this.#run.savepoint.run();
    try {
      for (const entry of request.entries) this.#insert(entry);
      for (const change of request.changes) this.#change(change);
      this.#removal.erase(request.erase);
      if ((request.remove.at(-1) ?? 0) > 0) this.#summaries.force(request.remove.at(-1) as number);
      this.#removal.remove(request.remove);
      this.#run.release.run();
      return { n: request.n, first: request.entries.length === 0 ? 0 : head + 1 };
    } catch (thrown) {
      // What the disk does concerns everybody in this commit; what a request does only itself.
      if (storageError(thrown, '') !== thrown || !this.#db.inTransaction) throw thrown;
      this.#run.undo.run();
      this.#run.release.run();
      this.#head = head;
      this.#hash = hash;
      this.#summaries.back(mark);
      const constraint = String((thrown as { code?: unknown }).code).startsWith('SQLITE_CONSTRAINT');
      return { n: request.n, error: wireError(thrown, constraint ? 'CONFLICT' : 'INVARIANT') };
    }
  }

  #insert({ head, key, body }: WireEntry): void {
    const seq = this.#head + 1;
    const { id, kind, actor, subject, wall, mono, clock, deviceTime, lane } = head;
    const boot = this.#boot;
    const hash = link(
      this.#hash,
      { seq, id, kind, actor, subject, wall, boot, mono, clock, deviceTime, lane, key },
      bodyHash(body),
    );
    const keyBytes = key === null ? null : Buffer.from(key, 'hex');
    this.#run.insert.run(
      seq,
      uuidBytes(id),
      kind,
      actor,
      subject,
      wall,
      this.#bootNumber,
      mono,
      clock === 'synced' ? 1 : 0,
      deviceTime,
      lane,
      keyBytes,
      hash,
      body,
    );
    this.#head = seq;
    this.#hash = hash;
    this.#summaries.add(kind, subject, lane, keyBytes);
  }

  #change(change: WireChange): void {
    let statement = this.#statements.get(change.sql);
    if (statement === undefined) {
      statement = this.#db.prepare(change.sql);
      invariant(!statement.reader, 'a change must not return rows');
      if (this.#statements.size >= STATEMENTS) this.#statements.clear();
      this.#statements.set(change.sql, statement);
    }
    statement.run(change.params.map((param) => (param instanceof Uint8Array ? Buffer.from(param) : param)));
  }

  #rollBack(): void {
    try {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
    } catch (thrown) {
      // SQLite has then rolled back by itself, or the connection is beyond use and the next commit says so.
      if (storageError(thrown, '') === thrown && this.#db.inTransaction) throw thrown;
    }
  }
}

/** Where the chain ends: the newest entry, or the anchor that stands for it. */
export function lastLink(db: Database): { seq: number; hash: Buffer } {
  const entry = db.prepare('SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1').get();
  const anchor = db.prepare('SELECT last AS seq, hash FROM anchors ORDER BY first DESC LIMIT 1').get();
  return [entry, anchor]
    .filter((row): row is { seq: number; hash: Buffer } => row !== undefined)
    .reduce((a, b) => (b.seq > a.seq ? b : a), { seq: 0, hash: GENESIS });
}
