import type { AlarmsConfig } from '../config/schema.ts';
import type { DeviceEvent } from '../devices/event.ts';
import type { Change } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { type Alarm, drillLasts, isClosed, isStillActive } from './alarm.ts';
import { isLive, rowChange } from './alarm-rows.ts';
import { CHATTER_MS, Chatter } from './chatter.ts';
import { type ClockReference, RENEW_MS, referenceChange, referenceNow, stepSince } from './clock-reference.ts';
import { deadlineChanges } from './deadline-rows.ts';
import { type Deadlines, firstDue, NO_DEADLINES } from './deadlines.ts';
import { Grading } from './grading.ts';
import { heldOf, loadBoard, newestWithKey } from './loading.ts';
import { type Held, keyOf, keyOfAlarm, type Layer, Overlay } from './overlay.ts';
import { type PutOff, quietHours } from './quiet-hours.ts';
import { rebuildAlarms, rebuildUnderWay } from './rebuild.ts';
import { isTold } from './reports.ts';
import { type AlarmFilter, countFound, type Page, searchPage } from './search.ts';
import { type Span, type Statistics, statisticsOf, type Trend, trendOf } from './statistics.ts';
import { minuteOfDay } from './time-of-day.ts';
import { type Bench, type Transaction, Work } from './transaction.ts';

/** Works run in one commit at most: bounds how long the first of them waits for the last to be computed. */
const LARGEST_BATCH = 1_000;
/** Works that may wait for the disk; more are refused at once. */
const LONGEST_QUEUE = 100_000;

export interface BoardParts {
  readonly journal: Journal;
  readonly config: AlarmsConfig;
  /** The site's zone, for rules with a time of day. */
  readonly timezone: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
  /** Whether a life may hang on a device, as its profile says; default: on none. */
  readonly lifeSafety?: (device: string) => boolean;
  /** Make the table of alarms anew out of the journal first. */
  readonly rebuild?: boolean;
}

interface Waiting {
  readonly work: (tx: Transaction) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Every alarm that is open, and the only way to change one. A projection of the journal: its rows are written in the
 * same commit as the entries they follow from, so that neither is ever ahead of the other.
 */
export class Board implements Layer {
  readonly #parts: BoardParts;
  readonly #bench: Bench & { grading: Grading; putOff: PutOff };
  readonly #held = new Map<string, Held>();
  readonly #keys = new Map<string, string>();
  readonly #chatter = new Chatter();
  /** Alarms whose newest entry tells a smaller count than they have. */
  readonly #unentered = new Map<string, number>();
  readonly #drills = new Set<string>();
  readonly #queue: Waiting[] = [];
  #draining = false;
  #reference: ClockReference;
  #firstDue = Number.NEGATIVE_INFINITY;

  private constructor(parts: BoardParts) {
    this.#parts = parts;
    const { journal, config, clock, newId } = parts;
    this.#reference = referenceNow(clock, journal.head());
    this.#bench = {
      clock,
      newId,
      config,
      ...readingOf(parts),
      chatter: this.#chatter,
      drills: this.#drills,
      closed: (id) => heldOf(journal, id),
      before: (key) => this.#before(key),
    };
  }

  /**
   * Takes over what the process before left: open alarms and their deadlines, moved if the clock was.
   * @throws QuanweiError BAD_CONFIG for a rule that cannot be meant, STORAGE_* when the journal cannot be read
   */
  static async load(parts: BoardParts): Promise<Board> {
    const board = new Board(parts);
    if (parts.rebuild === true || rebuildUnderWay(parts.journal)) await rebuildAlarms(parts.journal, parts.log);
    const { held, reference } = loadBoard(parts.journal, parts.clock);
    for (const one of held) {
      board.#held.set(one.alarm.id, one);
      if (!isTold(one.alarm)) board.#keys.set(keyOfAlarm(one.alarm), one.alarm.id);
      if (drillLasts(one.alarm) !== null) board.#drills.add(one.alarm.id);
      if (one.entered < one.alarm.count) board.#unentered.set(one.alarm.id, Number.NEGATIVE_INFINITY);
    }
    // The first commit sees the difference as a step of the clock, which it is.
    board.#reference = reference;
    await board.#settle();
    return board;
  }

  /**
   * Runs `work` and resolves with what it returned once that is on disk. Works that arrive while a commit is under way
   * run together in the next, one after the other, each seeing what those before it did. A work that throws
   * contributes nothing and rejects only itself. It does nothing but through `tx` and may be run more than once.
   * @throws QuanweiError STORAGE_* when the commit failed: then the board is as it was
   */
  transact<T>(work: (tx: Transaction) => T): Promise<T> {
    if (this.#queue.length >= LONGEST_QUEUE) {
      return Promise.reject(new QuanweiError('STORAGE_UNAVAILABLE', 'the disk cannot keep up', { hint: 'send again' }));
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (this.#draining) return;
      this.#draining = true;
      // At the end of this turn of the event loop, so that all it brings is one commit.
      setImmediate(() => void this.#drain());
    });
  }

  /** Open alarms in the order they were raised. */
  open(): Alarm[] {
    const alarms: Alarm[] = [];
    for (const { alarm } of this.#held.values()) if (!isClosed(alarm)) alarms.push(alarm);
    return alarms;
  }

  /**
   * Takes up the rules and quiet hours of its configuration as they are now; levels and the rest are read at every use.
   * Deadlines that are set stay.
   * @throws QuanweiError BAD_CONFIG for a rule that cannot be meant; then the old ones hold
   */
  configure(): void {
    Object.assign(this.#bench, readingOf(this.#parts));
  }

  /** Any alarm, open or closed. */
  get(id: string): Alarm | null {
    return (this.#held.get(id) ?? heldOf(this.#parts.journal, id))?.alarm ?? null;
  }

  /** What an open alarm waits for. */
  deadlines(id: string): Deadlines {
    return this.#held.get(id)?.deadlines ?? NO_DEADLINES;
  }

  /** Newest first, open and closed; at most `limit`. `page` tells whether there is more. */
  search(filter: AlarmFilter): Alarm[] {
    return this.page(filter).alarms;
  }

  /** One page of the search and where the next one starts. Looks at a bounded number of rows, so it may be short. */
  page(filter: AlarmFilter): Page {
    return searchPage(this.#parts.journal, filter);
  }

  /** How many a search finds; `null` when counting them would keep others waiting. */
  count(filter: Omit<AlarmFilter, 'limit' | 'before'>): number | null {
    return countFound(this.#parts.journal, filter);
  }

  /** Figures about the alarms raised in [from, to), ms since the epoch; at most the newest 200,000 of them. */
  stats(span: Span): Promise<Statistics> {
    return statisticsOf(this.#parts.journal, this.#parts.config.levels, span, this.#parts.clock.wall());
  }

  /** The same for each of several spans, oldest first, each beginning where the one before it ends. */
  trend(spans: readonly Span[]): Promise<Trend> {
    return trendOf(this.#parts.journal, this.#parts.config.levels, spans, this.#parts.clock.wall());
  }

  /** `false` when an event would change nothing: the end of what had not begun. A repeated reading need not be kept. */
  matters(event: DeviceEvent): boolean {
    if (event.active) return true;
    return (['live', 'replayed', 'drill'] as const).some((mode) => {
      const id = this.#keys.get(keyOf(event.device, event.category, mode));
      const held = id === undefined ? undefined : this.#held.get(id);
      return held !== undefined && isStillActive(held.alarm);
    });
  }

  /** Whether this board has work that is not on disk yet. */
  get busy(): boolean {
    return this.#draining;
  }

  /**
   * What time brings: a clock that was stepped, deadlines that have passed, counts of chattering devices to be entered.
   * Called every second by `Escalation`. Resolves when it is on disk.
   * @throws QuanweiError STORAGE_*
   */
  async elapse(): Promise<void> {
    const { clock } = this.#parts;
    if (stepSince(this.#reference, clock.wall(), clock.mono()) !== 0) await this.transact(() => undefined);
    else if (this.#held.size > 0 && clock.mono() - this.#reference.mono >= RENEW_MS) await this.#renew(() => undefined);
    const quiet = [...this.#unentered].filter(([, since]) => clock.mono() - since >= CHATTER_MS).map(([id]) => id);
    const due = this.#due(clock.wall());
    if (quiet.length + due.length === 0) return;
    await this.transact((tx) => {
      for (const id of quiet) (tx as Work).enter(id);
      for (const id of due) (tx as Work).fallDue(id);
    });
  }

  find(id: string): Held | undefined {
    return this.#held.get(id);
  }

  newest(key: string): string | undefined {
    return this.#keys.get(key);
  }

  /** Nice to know, but no alarm may fail to be raised for want of it. */
  #before(key: string): string | null {
    try {
      return newestWithKey(this.#parts.journal, key);
    } catch (thrown) {
      this.#parts.log.warn({ err: thrown }, 'the alarm before this one could not be looked up');
      return null;
    }
  }

  /** Alarms with something due, at most a batch. */
  #due(now: number): string[] {
    if (now < this.#firstDue) return [];
    const due: string[] = [];
    let first = Number.POSITIVE_INFINITY;
    for (const [id, { deadlines }] of this.#held) {
      const at = firstDue(deadlines);
      if (at <= now && due.length < LARGEST_BATCH) due.push(id);
      first = Math.min(first, at);
    }
    this.#firstDue = first;
    return due;
  }

  /** Vouches for the deadlines by the clock as it is now, in the commit of `work`. */
  async #renew(work: (tx: Work) => void): Promise<void> {
    const before = this.#reference;
    const reference = referenceNow(this.#parts.clock, this.#parts.journal.head());
    await this.transact((tx) => {
      work(tx as Work);
      tx.change(referenceChange(reference));
    });
    // A step in this very commit has brought a newer one.
    if (this.#reference === before) this.#reference = reference;
  }

  /** What loading brought to light: a clock that moved, deadlines that are missing, counts to be entered. */
  async #settle(): Promise<void> {
    try {
      await this.#renew((tx) => {
        for (const id of this.#held.keys()) {
          tx.rearm(id);
          tx.enter(id);
        }
      });
    } catch (thrown) {
      // A gateway that cannot write must still come up and say so. `elapse` tries again every second.
      this.#parts.log.error({ err: thrown }, 'the alarms were read but could not be brought up to date');
    }
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) await this.#commit(this.#queue.splice(0, LARGEST_BATCH));
    this.#draining = false;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const overlay = new Overlay(this);
    const done: { waiting: Waiting; value: unknown }[] = [];
    let reference: ClockReference | null;
    try {
      reference = this.#shift(overlay);
      const work = new Work(overlay, this.#bench);
      for (const waiting of batch) {
        try {
          const value = waiting.work(work);
          overlay.absorb(work);
          done.push({ waiting, value });
        } catch (thrown) {
          work.clear();
          waiting.reject(thrown);
        }
      }
      const changes = [...rowChanges(overlay), ...overlay.changes];
      if (reference !== null) changes.push(referenceChange(reference));
      await this.#parts.journal.append(overlay.drafts, changes, true);
    } catch (thrown) {
      await this.#failed(done, thrown);
      return;
    }
    this.#apply(overlay);
    if (reference !== null) this.#reference = reference;
    for (const { waiting, value } of done) waiting.resolve(value);
  }

  /** A disk that fails, fails everybody. Anything else is the fault of one of them, who must not take the others along. */
  async #failed(done: readonly { waiting: Waiting }[], thrown: unknown): Promise<void> {
    const storage = thrown instanceof QuanweiError && thrown.family === 'world';
    if (storage || done.length <= 1) {
      for (const { waiting } of done) waiting.reject(thrown);
      return;
    }
    for (const { waiting } of done) await this.#commit([waiting]);
  }

  /** When the wall clock was stepped, everything due moves with it, before anything new is measured by it. */
  #shift(overlay: Overlay): ClockReference | null {
    const { clock, journal, log } = this.#parts;
    const ms = stepSince(this.#reference, clock.wall(), clock.mono());
    if (ms === 0) return null;
    log.warn({ ms, alarms: this.#held.size }, 'the wall clock was stepped: deadlines move with it');
    const work = new Work(overlay, this.#bench);
    for (const id of this.#held.keys()) work.shift(id, ms);
    overlay.absorb(work);
    return referenceNow(clock, journal.head());
  }

  #apply(overlay: Overlay): void {
    for (const [key, id] of overlay.keys) this.#keys.set(key, id);
    for (const [id, held] of overlay.held) {
      const { alarm, deadlines, entered } = held;
      if (isLive(alarm)) {
        if (drillLasts(alarm) !== null) this.#drills.add(id);
        this.#held.set(id, { ...held, stored: { alarm, deadlines, entered } });
        this.#firstDue = Math.min(this.#firstDue, firstDue(deadlines));
      } else {
        this.#held.delete(id);
        this.#drills.delete(id);
        this.#chatter.forget(id);
        const key = keyOfAlarm(alarm);
        if (this.#keys.get(key) === id) this.#keys.delete(key);
      }
      if (entered < alarm.count) this.#unentered.set(id, this.#unentered.get(id) ?? this.#parts.clock.mono());
      else this.#unentered.delete(id);
    }
  }
}

/** What is made of a configuration once, not at every event. */
const readingOf = ({ config, timezone, lifeSafety = () => false }: BoardParts) => ({
  grading: new Grading({ rules: config.rules, timezone, lifeSafety }),
  putOff: quietHours(config.quiet, minuteOfDay(timezone)),
});

function rowChanges(overlay: Overlay): Change[] {
  const changes: Change[] = [];
  for (const [id, { alarm, deadlines, entered, stored }] of overlay.held) {
    if (stored?.alarm !== alarm || stored.entered !== entered)
      changes.push(rowChange(stored?.alarm ?? null, alarm, entered));
    changes.push(...deadlineChanges(id, stored?.deadlines ?? NO_DEADLINES, deadlines));
  }
  return changes;
}
