import { hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Cancel, Clock } from '../kernel/clock.ts';
import type { QuanweiError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { databaseFile } from './database.ts';
import { type Stamped, stamp } from './draft.ts';
import type { Change, Draft, Entry } from './entry.ts';
import { Followers } from './followers.ts';
import { type Lock, lockDirectory } from './lock.ts';
import { makeDirectory, type Opened, prepareDatabase } from './opening.ts';
import { JournalReader, type ReadOptions } from './reader.ts';
import { SeenKeys } from './seen.ts';
import { SEEN_KEYS } from './summaries.ts';
import type { WireRequest } from './wire.ts';
import { type Pending, WriterLink } from './writer-link.ts';

/** How often the room left on the disk is looked at, ms. */
const DISK_MS = 10_000;

export interface JournalOptions {
  /** The data directory; made when it is not there. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
}

export interface StorageState {
  /** `false` from a commit that failed to the next that succeeded. */
  readonly ok: boolean;
  readonly error: QuanweiError | null;
  /** Room the journal can still grow into: free on the disk, and unused inside its file. */
  readonly freeBytes: number;
  /** Size of the journal's files. */
  readonly bytes: number;
  /** Commits of this process. */
  readonly commits: number;
  /** Requests that wait for the disk. */
  readonly queue: number;
}

/** 16-byte content key of a device message; `text` is what the profile says makes it one and the same. */
export const contentKey = (device: string, text: string): Buffer =>
  hash('sha256', `${device}\n${text}`, 'buffer').subarray(0, 16);

/**
 * The one append-only journal (design §1): what `append` has resolved is on disk, in order, chained, and stays so
 * through a power cut. A slow disk makes `append` slow and nothing else: writing happens in a thread of its own.
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
  readonly #stateListeners = new Set<(state: StorageState) => void>();
  readonly #diskTimer: Cancel;
  #disk = { freeBytes: 0, bytes: 0 };
  #head: number;
  #failingSince: { at: number; error: QuanweiError } | null = null;

  private constructor(options: JournalOptions, opened: Opened, lock: Lock, reader: JournalReader) {
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
    this.#link = new WriterLink({ file: databaseFile(dir), boot: clock.boot }, clock, log, {
      state: (error) => this.#onState(error),
      settle: (pendings) => this.#settle(pendings),
    });
    this.#diskTimer = clock.every(DISK_MS, () => {
      this.#lookAtDisk().catch((thrown: unknown) => log.warn({ err: thrown }, 'the disk cannot be looked at'));
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
    let journal: Journal | null = null;
    let reader: JournalReader | null = null;
    try {
      const { opened, db } = prepareDatabase(dir, clock, log);
      try {
        reader = JournalReader.open(dir);
      } finally {
        db.close();
      }
      journal = new Journal(options, opened, lock, reader);
      const started = journal.#link.start();
      journal.#loadSeen();
      await Promise.all([started, journal.#lookAtDisk()]);
      if (opened.setAside !== null) await journal.#note('set aside', { file: opened.setAside, damage: opened.damage });
      return journal;
    } catch (thrown) {
      if (journal !== null) await journal.close();
      else {
        reader?.close();
        lock.release();
      }
      throw thrown;
    }
  }

  /**
   * Stores the entries and runs the changes in one transaction; resolves when it is on disk. All or nothing.
   * The bodies of the entries given back are the drafts' own objects: leave them as they are.
   * @throws QuanweiError STORAGE_* when the disk failed, CONFLICT when a change broke a constraint, BAD_REQUEST for a
   *   body above 256 KiB. After STORAGE_* a power cut may still bring the entries to light: send again with the same key.
   */
  async append(drafts: readonly Draft[], changes: readonly Change[] = []): Promise<Entry[]> {
    const stamped = drafts.map((draft) => stamp(draft, this.#clock, this.#newId));
    return this.#submit(stamped, changes, [], []);
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
    return this.#reader.read({
      ...options,
      before: Math.min(options.before ?? Number.MAX_SAFE_INTEGER, this.#head + 1),
    });
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

  /** Whether an entry with this content key has been committed; remembers the newest million. @param key 16 bytes */
  seen(key: Buffer): boolean {
    return this.#seen.has(key);
  }

  state(): StorageState {
    const { error, commits, queue } = this.#link;
    return { ok: error === null, error, ...this.#disk, commits, queue };
  }

  /** Calls `fn` when storing begins to fail, fails for another reason, or works again. */
  onState(fn: (state: StorageState) => void): Cancel {
    this.#stateListeners.add(fn);
    return { cancel: () => void this.#stateListeners.delete(fn) };
  }

  /** Stores what is under way, records the orderly end, lets go of the directory. */
  async close(): Promise<void> {
    this.#diskTimer.cancel();
    await this.#link.close();
    this.#followers.flush();
    this.#reader.close();
    this.#lock.release();
  }

  #submit(
    stamped: readonly Stamped[],
    changes: readonly Change[],
    erase: readonly number[],
    remove: readonly number[],
  ): Promise<Entry[]> {
    if (stamped.length + changes.length + erase.length + remove.length === 0) return Promise.resolve([]);
    const request: Omit<WireRequest, 'n'> = {
      entries: stamped.map(({ wire }) => wire),
      // A Buffer from the pool would be cloned with all 8 KiB of it.
      changes: changes.map(({ sql, params }) => ({
        sql,
        params: params.map((param) => (Buffer.isBuffer(param) ? Uint8Array.from(param) : param)),
      })),
      erase,
      remove,
    };
    return new Promise((resolve, reject) => {
      this.#link.submit({
        request,
        done: (first) => {
          const entries = stamped.map(({ entry }, i): Entry => ({ seq: first + i, ...entry }));
          for (const { key } of stamped) if (key !== null) this.#seen.add(key);
          const last = entries.at(-1);
          if (last !== undefined) {
            if (first > this.#head + 1) this.#catchUp(first);
            this.#head = last.seq;
            this.#followers.tell(entries);
          }
          resolve(entries);
        },
        failed: reject,
      });
    });
  }

  /**
   * Takes in entries that are on disk although nobody here was told: the writer died between commit and answer.
   * @param before seq of the first entry that is known again
   */
  #catchUp(before: number): void {
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
  }

  #settle(pendings: readonly Pending[]): Map<number, number> {
    try {
      const found = this.#reader.read({ after: this.#head, limit: Number.MAX_SAFE_INTEGER });
      const ids = new Map(found.map(({ id, seq }) => [id, seq]));
      const settled = new Map<number, number>();
      pendings.forEach((pending, i) => {
        const seq = ids.get(pending.request.entries[0]?.id ?? '');
        if (seq !== undefined) settled.set(i, seq);
      });
      return settled;
    } catch (thrown) {
      this.#log.error({ err: thrown }, 'cannot tell what the writer stored last');
      return new Map();
    }
  }

  #onState(error: QuanweiError | null): void {
    if (error !== null) {
      this.#log.error({ err: error }, 'the journal cannot be written');
      this.#failingSince ??= { at: this.#clock.mono(), error };
    } else if (this.#failingSince !== null) {
      const { at, error: first } = this.#failingSince;
      this.#failingSince = null;
      const ms = Math.round(this.#clock.mono() - at);
      this.#log.info({ ms }, 'the journal can be written again');
      this.#note('recovered', { code: first.code, message: first.message, ms }).catch((thrown: unknown) =>
        this.#log.warn({ err: thrown }, 'could not record that storing works again'),
      );
    }
    const state = this.state();
    for (const fn of this.#stateListeners) {
      try {
        fn(state);
      } catch (thrown) {
        this.#log.error({ err: thrown }, 'a listener of the storage state failed');
      }
    }
  }

  async #note(what: string, more: Record<string, unknown>): Promise<void> {
    await this.append([{ kind: 'system.storage', actor: 'system', subject: null, lane: 3, body: { what, ...more } }]);
  }

  #loadSeen(): void {
    for (const { keys } of this.select<{ keys: Buffer }>('SELECT keys FROM key_runs ORDER BY last')) {
      this.#seen.addRun(keys);
    }
    const tail = this.select<{ key: Buffer }>(
      `SELECT key FROM entries
       WHERE seq > (SELECT coalesce(max(last), 0) FROM key_runs) AND key IS NOT NULL ORDER BY seq`,
    );
    for (const { key } of tail) this.#seen.add(key);
  }

  async #lookAtDisk(): Promise<void> {
    const { bavail, bsize } = await statfs(this.dir);
    const [{ unused } = { unused: 0 }] = this.select<{ unused: number }>(
      'SELECT freelist_count * page_size AS unused FROM pragma_freelist_count, pragma_page_size',
    );
    this.#disk = { freeBytes: bavail * bsize + unused, bytes: sizeOf(databaseFile(this.dir)) };
  }
}

function sizeOf(file: string): number {
  let sum = 0;
  for (const suffix of ['', '-wal']) {
    const size = statSync(file + suffix, { throwIfNoEntry: false })?.size ?? 0;
    sum += size;
  }
  return sum;
}
