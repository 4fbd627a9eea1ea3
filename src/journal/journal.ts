import { hash } from 'node:crypto';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { invariant, messageOf, QuanweiError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { threadFile } from '../kernel/thread.ts';
import { turns } from '../kernel/turns.ts';
import { databaseFile, storageError } from './database.ts';
import { type Stamped, stamp } from './draft.ts';
import type { Change, Draft, Entry, Lane } from './entry.ts';
import { Followers } from './followers.ts';
import { type Lock, lockDirectory } from './lock.ts';
import { makeDirectory, type Opened, prepareDatabase, type SetAside, setDamagedAside } from './opening.ts';
import { JournalReader, type ReadOptions } from './reader.ts';
import { SeenKeys } from './seen.ts';
import { StorageHealth, type StorageState } from './storage-health.ts';
import { storedKeys } from './stored-keys.ts';
import { SEEN_KEYS } from './summaries.ts';
import type { WireRequest } from './wire.ts';
import { type Pending, WriterLink } from './writer-link.ts';

export interface JournalOptions {
  /** The data directory; made when it is not there. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
  /** File of the writer's thread, which is then used from the start; a test of its death gives another. */
  readonly writerThread?: string;
  /** Awaited between two pieces of the content keys; default: others go first every 8 ms. A test holds it. */
  readonly turn?: () => Promise<void>;
}

/**
 * Content key of a device message: 16 bytes in hex. `text` is what the profile says makes it one and the same.
 * Not as a Buffer, which has memory of its own outside the heap, dear to make and to free.
 */
export const contentKey = (device: string, text: string): string =>
  hash('sha256', `${device}\n${text}`, 'hex').slice(0, 32);

/**
 * The one append-only journal (design §1): what `append` has resolved is on disk, in order, chained, and stays so
 * through a power cut. A slow disk makes `append` slow and nothing else: writing then happens in a thread of its own.
 */
export class Journal {
  readonly opened: Opened;
  readonly dir: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #newId: NewId;
  readonly #lock: Lock;
  readonly #reader: JournalReader;
  readonly #link: WriterLink;
  readonly #seen = new SeenKeys(SEEN_KEYS);
  readonly #cursors: Map<string, number>;
  readonly #followers: Followers;
  readonly #health: StorageHealth;
  #head: number;
  #recalling: Promise<void> | null = null;
  #ending = false;
  #closed: Promise<void> | null = null;

  private constructor(options: JournalOptions, opened: Opened, lock: Lock, reader: JournalReader, commitMs: number) {
    const { dir, clock, log, newId } = options;
    this.dir = dir;
    this.opened = opened;
    this.#clock = clock;
    this.#log = log;
    this.#newId = newId;
    this.#lock = lock;
    this.#reader = reader;
    this.#head = reader.head();
    this.#followers = new Followers(log);
    this.#cursors = new Map(
      reader.select<{ name: string; seq: number }>('SELECT name, seq FROM cursors').map(({ name, seq }) => [name, seq]),
    );
    const writing = {
      file: databaseFile(dir),
      boot: clock.boot,
      thread: options.writerThread ?? threadFile(import.meta.url, 'writer-thread'),
      alwaysThread: options.writerThread !== undefined,
      commitMs,
    };
    this.#link = new WriterLink(writing, clock, log, {
      state: (error) => this.#health.writerChanged(error),
      settle: (pendings) => this.#settle(pendings),
    });
    this.#health = new StorageHealth({
      dir,
      reader,
      clock,
      log,
      writer: () => this.#link,
      note: (what, more) => this.#note(what, more),
    });
  }

  /**
   * @throws QuanweiError STORAGE_LOCKED when another gateway has the directory, STORAGE_NEWER, STORAGE_FULL,
   *   STORAGE_UNAVAILABLE. A damaged database does not throw: see `opened.setAside`.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { dir, clock, log } = options;
    makeDirectory(dir);
    const lock = lockDirectory(dir);
    try {
      return await Journal.#open(options, lock, null);
    } catch (thrown) {
      try {
        if (!(thrown instanceof QuanweiError) || thrown.code !== 'STORAGE_CORRUPT') throw thrown;
        return await Journal.#open(options, lock, setDamagedAside(dir, clock, log, thrown));
      } catch (again) {
        lock.release();
        throw again;
      }
    }
  }

  static async #open(options: JournalOptions, lock: Lock, setAside: SetAside | null): Promise<Journal> {
    const { dir, clock } = options;
    const { opened, db, commitMs } = prepareDatabase(dir, clock, setAside);
    let reader: JournalReader;
    try {
      reader = JournalReader.open(dir);
    } finally {
      db.close();
    }
    let journal: Journal | null = null;
    try {
      journal = new Journal(options, opened, lock, reader, commitMs);
      await Promise.all([journal.#link.start(), journal.#health.measure()]);
      journal.#recall(options.turn ?? turns());
      if (setAside !== null) await journal.#note('set aside', { ...setAside });
      if (opened.checkLater) journal.#health.examineLater();
      return journal;
    } catch (thrown) {
      if (journal === null) reader.close();
      else await journal.#end();
      throw thrown;
    }
  }

  /**
   * Stores the entries and runs the changes in one transaction; resolves when it is on disk. All or nothing.
   * The bodies of the entries given back are the drafts' own objects: leave them as they are.
   * @param gathered the caller has already waited for whatever else this turn of the event loop brings
   * @throws QuanweiError STORAGE_* when the disk failed, CONFLICT when a change broke a constraint, BAD_REQUEST for a
   *   body above 256 KiB. After STORAGE_* a power cut may still bring the entries to light: send again with the same key.
   */
  async append(drafts: readonly Draft[], changes: readonly Change[] = [], gathered = false): Promise<Entry[]> {
    const stamped = drafts.map((draft) => stamp(draft, this.#clock, this.#newId));
    return this.#submit(stamped, changes, [], [], gathered);
  }

  /** Changes of ordinary tables with no entry of their own. */
  async write(changes: readonly Change[]): Promise<void> {
    await this.#submit([], changes, [], []);
  }

  /** Erases the bodies of entries (consent withdrawn); their hashes stay and the chain verifies. */
  async erase(seqs: readonly number[], drafts: readonly Draft[] = [], changes: readonly Change[] = []): Promise<void> {
    await this.#submit(
      drafts.map((draft) => stamp(draft, this.#clock, this.#newId)),
      changes,
      seqs,
      [],
    );
  }

  /** Removes entries altogether; what is left is an anchor for each stretch. @param seqs ascending */
  async remove(seqs: readonly number[], drafts: readonly Draft[] = [], changes: readonly Change[] = []): Promise<void> {
    await this.#submit(
      drafts.map((draft) => stamp(draft, this.#clock, this.#newId)),
      changes,
      [],
      seqs,
    );
  }

  /** Seq of the newest entry everybody has been told of; 0 for none. */
  head(): number {
    return this.#head;
  }

  read(options: ReadOptions): Entry[] {
    return this.#reader.read(this.#told(options));
  }

  /** As `JournalReader.readInTurns`: for questions of people, which a fire alarm must not wait for. */
  readInTurns(options: ReadOptions, sliceMs?: number): Promise<Entry[]> {
    return this.#reader.readInTurns(this.#told(options), sliceMs);
  }

  /** Nothing that everybody has not been told of yet. */
  #told(options: ReadOptions): ReadOptions {
    return { ...options, before: Math.min(options.before ?? Number.MAX_SAFE_INTEGER, this.#head + 1) };
  }

  /** Entries of a lane after a seq. May still count some of lanes 2 and 3 that were dropped from a full disk. */
  count(lane: Lane, after: number): number {
    return this.#reader.count(lane, after);
  }

  entry(seq: number): Entry | null {
    return seq > this.#head ? null : this.#reader.entry(seq);
  }

  /**
   * Calls `fn` with every entry committed from now on, in order of `seq`, after those who appended it have been told.
   * A throw is logged and stops nobody else.
   */
  follow(fn: (entries: readonly Entry[]) => void): Cancel {
    return this.#followers.add(fn, this.#head);
  }

  /** How far the follower `name` has come; 0 for a new one. */
  cursor(name: string): number {
    return this.#cursors.get(name) ?? 0;
  }

  async moveCursor(name: string, seq: number): Promise<void> {
    await this.write([
      {
        sql: 'INSERT INTO cursors VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq',
        params: [name, seq],
      },
    ]);
    this.#cursors.set(name, seq);
  }

  /** Rows of a room's own tables, as last committed; statements are kept prepared. */
  select<T>(sql: string, ...params: unknown[]): T[] {
    return this.#reader.select<T>(sql, ...params);
  }

  /**
   * Whether an entry with this content key has been committed; remembers the newest million. Not to be asked while they
   * are still `recalling`. @param key as `contentKey` makes them
   */
  seen(key: string): boolean {
    invariant(this.#recalling === null, 'the content keys have been read');
    return this.#seen.has(bytesOf(key));
  }

  /**
   * For the first fraction of a second with a large journal: resolves when `seen` knows all content keys. `null`: it does.
   * What has no key need not wait for them.
   */
  get recalling(): Promise<void> | null {
    return this.#recalling;
  }

  state(): StorageState {
    return this.#health.state();
  }

  /** The state with the disk looked at now. */
  measure(): Promise<StorageState> {
    return this.#health.measure();
  }

  /** Calls `fn` when storing begins to fail, fails for another reason, works again, or damage was found. */
  onState(fn: (state: StorageState) => void): Cancel {
    return this.#health.onState(fn);
  }

  /** Stores what is under way, records the orderly end, lets go of the directory. */
  close(): Promise<void> {
    this.#closed ??= this.#end().finally(() => this.#lock.release());
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#ending = true;
    this.#health.close();
    await this.#link.close();
    this.#followers.flush();
    this.#reader.close();
  }

  async #submit(
    stamped: readonly Stamped[],
    changes: readonly Change[],
    erase: readonly number[],
    remove: readonly number[],
    gathered = false,
  ): Promise<Entry[]> {
    if (stamped.length + changes.length + erase.length + remove.length === 0) return [];
    const request: Omit<WireRequest, 'n'> = {
      entries: stamped,
      changes: changes.map(({ sql, params }) => ({ sql, params: params.map(wireParam) })),
      erase,
      remove,
    };
    return new Promise((resolve, reject) => {
      const done = (first: number) => {
        const entries = stamped.map(({ head, key }, i): Entry => {
          if (key !== null) this.#seen.add(bytesOf(key));
          head.seq = first + i;
          return head;
        });
        const last = entries.at(-1);
        if (last !== undefined) {
          if (first > this.#head + 1) this.#catchUp(first);
          this.#head = last.seq;
          this.#followers.tell(entries);
        }
        resolve(entries);
      };
      this.#link.submit({ request, done, failed: reject }, gathered);
    });
  }

  /**
   * Takes in entries that are on disk although nobody here was told: the writer died between commit and answer.
   * @param before seq of the first entry that is known again
   */
  #catchUp(before: number): void {
    try {
      const entries = this.#reader.read({ after: this.#head, before, limit: before });
      this.#log.warn({ from: this.#head + 1, entries: entries.length }, 'entries of a writer that stopped were found');
      for (const { key } of this.select<{ key: Buffer | null }>(
        'SELECT key FROM entries WHERE seq > ? AND seq < ?',
        this.#head,
        before,
      )) {
        if (key !== null) this.#seen.add(key);
      }
      this.#followers.tell(entries);
    } catch (thrown) {
      // They are on disk; a follower that keeps a cursor will come by them.
      this.#log.error({ err: thrown, from: this.#head + 1, before }, 'stored entries cannot be read');
    }
  }

  /** The writer died: which of those that wait is on disk after all. */
  #settle(pendings: readonly Pending[]): Map<number, number> {
    try {
      const found = this.#reader.read({ after: this.#head, limit: Number.MAX_SAFE_INTEGER });
      const ids = new Map(found.map(({ id, seq }) => [id, seq]));
      const settled = new Map<number, number>();
      pendings.forEach((pending, i) => {
        const seq = ids.get(pending.request.entries[0]?.head.id ?? '');
        if (seq !== undefined) settled.set(i, seq);
      });
      return settled;
    } catch (thrown) {
      this.#log.error({ err: thrown }, 'cannot tell what the writer stored last');
      return new Map();
    }
  }

  async #note(what: string, more: Record<string, unknown>): Promise<void> {
    await this.append([{ kind: 'system.storage', actor: 'system', subject: null, lane: 3, body: { what, ...more } }]);
  }

  #recall(turn: () => Promise<void>): void {
    this.#recalling = this.#readKeys(turn).then(() => {
      this.#recalling = null;
    });
  }

  /** Never rejects: who cannot tell what was said before still takes what is said now. */
  async #readKeys(turn: () => Promise<void>): Promise<void> {
    try {
      for (const keys of storedKeys(this.#reader.database)) {
        this.#seen.addRun(keys);
        await turn();
        if (this.#ending) return;
      }
    } catch (thrown) {
      const error = storageError(thrown, databaseFile(this.dir));
      const why = `content keys: ${messageOf(error)}`;
      if (error instanceof QuanweiError && error.code === 'STORAGE_CORRUPT') this.#health.found(why);
      else
        this.#log.error({ err: error }, 'not all content keys could be read: what is said again may be stored again');
    }
  }
}

const keyBytes = Buffer.alloc(16);

/** A content key's bytes, until the next call. */
function bytesOf(key: string): Buffer {
  keyBytes.write(key, 'hex');
  return keyBytes;
}

/** A Buffer from the pool would travel with all 8 KiB of it; what cannot travel at all is refused here. */
function wireParam(param: Change['params'][number]): string | number | bigint | Uint8Array | null {
  if (Buffer.isBuffer(param)) return Uint8Array.from(param);
  invariant(param === null || /^(string|number|bigint)$/.test(typeof param), `a parameter is ${typeof param}`);
  return param;
}
