import { statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf, type QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { databaseFile } from './database.ts';
import { sound } from './examine.ts';
import { inThread } from './maintenance.ts';
import type { JournalReader } from './reader.ts';

/** How often the room left on the disk is looked at, ms. */
const DISK_MS = 10_000;
/** After a power cut a large database is examined this long after the start, when the rush is over, ms. */
const EXAMINE_MS = 30_000;

export interface StorageState {
  /** `false` from a commit that failed to the next that succeeded. */
  readonly ok: boolean;
  readonly error: QuanweiError | null;
  /** Room the journal can still grow into: free on the disk, and unused inside its file. */
  readonly freeBytes: number;
  /** Free on the disk itself. */
  readonly diskFree: number;
  /** Size of the journal's files. */
  readonly bytes: number;
  /** Commits of this process. */
  readonly commits: number;
  /** Requests that wait for the disk. */
  readonly queue: number;
  /** What an examination of the whole file found wrong; `null` when nothing is known to be. */
  readonly damage: string | null;
}

export interface HealthParts {
  readonly dir: string;
  readonly reader: JournalReader;
  readonly clock: Clock;
  readonly log: Log;
  /** What the writer knows of itself. */
  readonly writer: () => Pick<StorageState, 'error' | 'commits' | 'queue'>;
  /** Records something in the journal as `system.storage`. */
  readonly note: (what: string, more: Record<string, unknown>) => Promise<void>;
}

/** How the storage is doing: what it can take, what failed since when, and who wants to know. */
export class StorageHealth {
  readonly #parts: HealthParts;
  readonly #listeners = new Set<(state: StorageState) => void>();
  readonly #timer: Cancel;
  readonly #ending = new AbortController();
  #disk = { freeBytes: 0, diskFree: 0, bytes: 0 };
  #damage: string | null = null;
  #failing: { since: number; error: QuanweiError } | null = null;

  constructor(parts: HealthParts) {
    this.#parts = parts;
    this.#timer = parts.clock.every(DISK_MS, () => {
      this.measure().catch((thrown: unknown) => parts.log.warn({ err: thrown }, 'the disk cannot be looked at'));
    });
  }

  state(): StorageState {
    const { error, commits, queue } = this.#parts.writer();
    return { ok: error === null, error, ...this.#disk, commits, queue, damage: this.#damage };
  }

  async measure(): Promise<StorageState> {
    const { dir, reader } = this.#parts;
    const { bavail, bsize } = await statfs(dir);
    if (!this.#ending.signal.aborted) {
      const diskFree = bavail * bsize;
      const [{ unused } = { unused: 0 }] = reader.select<{ unused: number }>(
        'SELECT freelist_count * page_size AS unused FROM pragma_freelist_count, pragma_page_size',
      );
      this.#disk = { freeBytes: diskFree + unused, diskFree, bytes: sizeOf(databaseFile(dir)) };
    }
    return this.state();
  }

  onState(fn: (state: StorageState) => void): Cancel {
    this.#listeners.add(fn);
    return { cancel: () => void this.#listeners.delete(fn) };
  }

  /** Storing began to fail, fails for another reason, or (`null`) works again. */
  writerChanged(error: QuanweiError | null): void {
    const { clock, log } = this.#parts;
    if (error !== null) {
      log.error({ err: error }, 'the journal cannot be written');
      this.#failing ??= { since: clock.mono(), error };
    } else if (this.#failing !== null) {
      const { since, error: first } = this.#failing;
      this.#failing = null;
      const ms = Math.round(clock.mono() - since);
      log.info({ ms }, 'the journal can be written again');
      this.#record('recovered', { code: first.code, message: first.message, ms });
    }
    this.#tell();
  }

  /** A large database after a power cut: its end has been checked before it is used, the rest is beside its use. */
  examineLater(): void {
    const { clock, log, dir } = this.#parts;
    const { signal } = this.#ending;
    const timer = clock.after(EXAMINE_MS, () => {
      inThread({ do: 'examine', file: databaseFile(dir) }, signal)
        .then((examination) => {
          if (sound(examination)) return;
          const { damage, broken } = examination;
          this.found(damage ?? `entry ${broken?.seq}: ${broken?.why}`);
        })
        .catch((thrown: unknown) => {
          if (!signal.aborted) log.warn({ err: thrown }, 'the database could not be examined');
        });
    });
    signal.addEventListener('abort', () => timer.cancel(), { once: true });
  }

  /** Something in the database cannot be read or is not as it was written. */
  found(damage: string): void {
    this.#damage = damage;
    this.#parts.log.error({ damage }, 'the database is damaged: restore a backup');
    this.#tell();
    this.#record('damaged', { damage });
  }

  close(): void {
    this.#timer.cancel();
    this.#ending.abort();
  }

  #record(what: string, more: Record<string, unknown>): void {
    const { note, log } = this.#parts;
    note(what, more).catch((thrown: unknown) => log.warn({ why: messageOf(thrown), what }, 'could not be recorded'));
  }

  #tell(): void {
    const state = this.state();
    for (const fn of this.#listeners) {
      try {
        fn(state);
      } catch (thrown) {
        this.#parts.log.error({ err: thrown }, 'a listener of the storage state failed');
      }
    }
  }
}

function sizeOf(file: string): number {
  const size = (name: string) => statSync(name, { throwIfNoEntry: false })?.size ?? 0;
  return size(file) + size(`${file}-wal`);
}
