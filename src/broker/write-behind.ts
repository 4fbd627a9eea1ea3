import type { Change } from '../journal/entry.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';

const FLUSH_MS = 500;

/** The part of the journal that MQTT state needs. */
export interface SessionStore {
  /** Durable when it resolves. */
  write(changes: readonly Change[]): Promise<void>;
  select<T>(sql: string, ...params: unknown[]): T[];
}

/**
 * Changes that may be half a second late on disk: the last one for each row wins, so a state that is published a
 * hundred times a second costs two writes a second.
 */
export class WriteBehind {
  readonly #store: SessionStore;
  readonly #log: Log;
  readonly #clock: Clock;
  #timer: Cancel | null = null;
  #closed = false;
  #waiting = new Map<string, Change>();
  #writing: Promise<void> | null = null;
  #failing = false;

  constructor(store: SessionStore, clock: Clock, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#clock = clock;
  }

  /** @param row names the row; an earlier change for it that has not been written is forgotten */
  put(row: string, change: Change): void {
    this.#waiting.delete(row);
    this.#waiting.set(row, change);
    this.#wait();
  }

  /** Writes what is waiting; a failure is logged and tried again later. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#start();
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    this.#closed = true;
    this.#timer?.cancel();
  }

  #wait(): void {
    if (this.#timer !== null || this.#closed) return;
    this.#timer = this.#clock.after(FLUSH_MS, () => {
      this.#timer = null;
      this.#start();
    });
  }

  #start(): void {
    if (this.#writing !== null || this.#waiting.size === 0) return;
    const batch = this.#waiting;
    this.#waiting = new Map();
    this.#writing = this.#store
      .write([...batch.values()])
      .then(() => {
        this.#failing = false;
      })
      .catch((thrown: unknown) => {
        if (!this.#failing)
          this.#log.warn({ err: thrown, changes: batch.size }, 'MQTT state is not stored; trying again');
        this.#failing = true;
        for (const [row, change] of this.#waiting) {
          batch.delete(row);
          batch.set(row, change);
        }
        this.#waiting = batch;
      })
      .finally(() => {
        this.#writing = null;
        if (this.#waiting.size > 0) this.#wait();
      });
  }
}
