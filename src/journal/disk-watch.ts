import type { RetentionConfig } from '../config/schema.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { Ballast } from './ballast.ts';
import { conditionOf, RECORD_CLASSES, type RecordClass } from './classes.ts';
import type { Lane } from './entry.ts';
import type { Journal } from './journal.ts';

const LOOK_MS = 10_000;
/** Entries dropped in one transaction, with the entry that counts them. */
const BATCH = 1_000;
const SMALLEST_BATCH = 16;
/** Room to make when the disk is full although `minFree` says otherwise (a quota, another program), bytes. */
const FULL_RELIEF = 4 * 1024 * 1024;
/** Alarms and what people did are kept this long whatever happens, ms. */
const KEPT_ALWAYS = 30 * 86_400_000;

export type DiskLevel = 'fine' | 'low' | 'full';

export interface DiskWatchParts {
  readonly journal: Journal;
  readonly config: RetentionConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** As for `Retention`. On a full disk it no longer holds for lanes 2 and 3; alarms are held back always. */
  readonly protect: (seq: number, lane: Lane | null) => boolean;
}

/**
 * Watches the room on the disk. Below `minFree` the lowest class goes first, oldest first, each loss counted in a
 * `system.dropped` entry in the same transaction; `system.storage` entries tell when it began and when it was over.
 */
export class DiskWatch {
  readonly #parts: DiskWatchParts;
  readonly #ballast: Ballast;
  readonly #cancels: Cancel[] = [];
  #level: DiskLevel = 'fine';
  #looking: Promise<void> | null = null;

  constructor(parts: DiskWatchParts) {
    this.#parts = parts;
    this.#ballast = new Ballast(parts.journal.dir);
  }

  get level(): DiskLevel {
    return this.#level;
  }

  start(): void {
    const { clock, journal, log } = this.#parts;
    const look = () => {
      this.look().catch((thrown: unknown) => log.warn({ err: thrown }, 'could not make room on the disk'));
    };
    this.#cancels.push(clock.every(LOOK_MS, look));
    this.#cancels.push(
      journal.onState((state) => {
        if (state.error?.code === 'STORAGE_FULL') look();
      }),
    );
    look();
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel.cancel();
    await this.#looking?.catch(() => undefined); // its own caller has been told
  }

  /** Measures, and makes room when there is too little. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { journal, config } = this.#parts;
    const { freeBytes, error } = await journal.measure();
    const full = error?.code === 'STORAGE_FULL';
    if (full) {
      this.#ballast.release();
      await this.#enter('full', freeBytes);
      await this.#relieve(Math.max(config.minFree, freeBytes + FULL_RELIEF));
    } else if (freeBytes < config.minFree) {
      if (this.#level !== 'full') await this.#enter('low', freeBytes);
      await this.#relieve(config.minFree);
    }
    const after = await journal.measure();
    if (after.error === null && after.freeBytes >= config.minFree) await this.#enter('fine', after.freeBytes);
    if (after.error === null) await this.#takeBallast(after.diskFree);
  }

  async #takeBallast(diskFree: number): Promise<void> {
    try {
      await this.#ballast.take(diskFree);
    } catch (thrown) {
      this.#ballast.release();
      this.#parts.log.warn({ why: messageOf(thrown) }, 'no room could be set apart for a full disk');
    }
  }

  async #enter(level: DiskLevel, freeBytes: number): Promise<void> {
    if (this.#level === level) return;
    const { journal, log, config } = this.#parts;
    log.warn({ level, freeBytes, minFree: config.minFree }, 'room on the disk');
    this.#level = level;
    const what = { fine: 'room again', low: 'disk low', full: 'disk full' }[level];
    try {
      await journal.append([
        {
          kind: 'system.storage',
          actor: 'system',
          subject: null,
          lane: 3,
          body: { what, freeBytes, minFree: config.minFree },
        },
      ]);
    } catch (thrown) {
      // On a full disk this is expected; the dropping below makes the room, and its own entry tells of it.
      log.warn({ why: messageOf(thrown), what }, 'could not record the state of the disk');
    }
  }

  /** First what nobody waits for, then records that the centre has not got yet; alarms it has not got never go. */
  async #relieve(until: number): Promise<void> {
    for (const despite of [false, true]) {
      for (const record of RECORD_CLASSES) {
        if (await this.#drop(record, until, despite)) return;
      }
    }
  }

  /** @returns whether there is room enough now */
  async #drop(record: RecordClass, until: number, despiteProtection: boolean): Promise<boolean> {
    const { journal, clock, protect } = this.#parts;
    const lasting = record === 'alarms' || record === 'audit';
    const keeps = (seq: number, lane: Lane | null) =>
      protect(seq, lane) && !(despiteProtection && (lane === 2 || lane === 3));
    let cursor = 0;
    let batch = BATCH;
    for (;;) {
      if ((await journal.measure()).freeBytes >= until) return true;
      const rows = journal.select<{ seq: number; lane: Lane | null; wall: number }>(
        `SELECT seq, lane, wall FROM entries WHERE seq > ? AND ${conditionOf(record)} ORDER BY seq LIMIT ?`,
        cursor,
        batch,
      );
      const last = rows.at(-1);
      if (last === undefined) return false;
      const youngest = clock.wall() - KEPT_ALWAYS;
      const seqs = rows
        .filter(({ seq, lane, wall }) => !keeps(seq, lane) && (!lasting || wall < youngest))
        .map(({ seq }) => seq);
      if (seqs.length === 0) {
        cursor = last.seq;
        continue;
      }
      const body = {
        what: 'records dropped to make room',
        class: record,
        count: seqs.length,
        first: seqs[0],
        last: seqs.at(-1),
      };
      try {
        await journal.remove(seqs, [{ kind: 'system.dropped', actor: 'system', subject: null, lane: 3, body }]);
        cursor = last.seq;
      } catch (thrown) {
        // To delete is to write: there may be room to delete a few although there is none for many.
        if (!(thrown instanceof QuanweiError && thrown.code === 'STORAGE_FULL') || batch <= SMALLEST_BATCH)
          throw thrown;
        batch = Math.max(SMALLEST_BATCH, Math.floor(batch / 4));
      }
    }
  }
}
