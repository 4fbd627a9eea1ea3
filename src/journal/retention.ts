import type { RetentionConfig } from '../config/schema.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { ClockTrust, newestTime, oldUpTo } from './age.ts';
import { conditionOf, RECORD_CLASSES, type RecordClass } from './classes.ts';
import type { Lane } from './entry.ts';
import type { Journal } from './journal.ts';

const HOUR_MS = 3_600_000;
/** Entries removed in one transaction: a fire alarm that comes meanwhile waits for one of these, not for all. */
const BATCH = 500;
export interface RetentionParts {
  readonly journal: Journal;
  readonly config: RetentionConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** `true` for an entry that somebody still needs: one the bridge has not forwarded yet. */
  readonly protect: (seq: number, lane: Lane | null) => boolean;
}

/** Lets records go when their class's time is over. What goes leaves its anchor, and a `system.retention` entry counts it. */
export class Retention {
  readonly #parts: RetentionParts;
  #timer: Cancel | null = null;
  #running: Promise<Record<RecordClass, number>> | null = null;
  readonly #trust: ClockTrust;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#trust = new ClockTrust(parts.clock, newestTime(parts.journal, parts.clock.wall()));
  }

  /** Runs now and then every hour. */
  start(): void {
    const run = () => {
      this.run().catch((thrown: unknown) => this.#parts.log.warn({ err: thrown }, 'retention did not finish'));
    };
    this.#timer = this.#parts.clock.every(HOUR_MS, run);
    run();
  }

  /** Resolves when a run under way has ended. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#running?.catch(() => undefined); // its own caller has been told
  }

  /** @returns how many entries of each class went. @throws QuanweiError STORAGE_* */
  run(): Promise<Record<RecordClass, number>> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<Record<RecordClass, number>> {
    const counts = { unknown: 0, messages: 0, access: 0, audit: 0, alarms: 0 };
    if (!this.#trust.holds()) {
      this.#parts.log.info('the clock has leapt: records wait until it has held for a day');
      return counts;
    }
    for (const record of RECORD_CLASSES) counts[record] = await this.#runClass(record);
    if (Object.values(counts).some((count) => count > 0)) {
      await this.#parts.journal.append([
        { kind: 'system.retention', actor: 'system', subject: null, body: { removed: counts } },
      ]);
    }
    return counts;
  }

  async #runClass(record: RecordClass): Promise<number> {
    const { journal, config, clock, protect } = this.#parts;
    const name = `retention.${record}`;
    let cursor = journal.cursor(name);
    let removed = 0;
    for (;;) {
      const now = clock.wall();
      const upTo = oldUpTo(journal, cursor, now - config[record], now);
      if (upTo === null) return removed;
      const due = journal.select<{ seq: number; lane: Lane | null }>(
        `SELECT seq, lane FROM entries WHERE seq > ? AND seq <= ? AND ${conditionOf(record)} ORDER BY seq`,
        cursor,
        upTo,
      );
      const needed = due.find(({ seq, lane }) => protect(seq, lane));
      const free = due.filter(({ seq, lane }) => !protect(seq, lane)).map(({ seq }) => seq);
      for (let i = 0; i < free.length; i += BATCH) await journal.remove(free.slice(i, i + BATCH));
      removed += free.length;
      // What is still needed is looked at again next time, and so is all behind it.
      cursor = needed === undefined ? upTo : needed.seq - 1;
      if (cursor > journal.cursor(name)) await journal.moveCursor(name, cursor);
      if (needed !== undefined) return removed;
    }
  }
}
