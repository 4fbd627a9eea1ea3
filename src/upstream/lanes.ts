import type { Entry, Lane } from '../journal/entry.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Dropped, DroppedSoFar } from './dropped.ts';
import type { Outbound } from './envelope.ts';
import { attach, type Item, LaneQueue, type Moment, momentOf, type Slot, slotOf, trim } from './item.ts';
import { anyIn, type LaneSource, newestOf, repeatedAfter, transitionsOf } from './lookup.ts';

export interface LanesOptions {
  readonly source: LaneSource;
  readonly clock: Clock;
  /** `null` for an entry of which there is nothing left to send. */
  readonly encode: (entry: Entry) => Outbound | null;
  /** How far each lane had come. */
  readonly cursors: readonly [number, number, number, number];
  /**
   * `true`: the next event of an alarm may follow on the heels of the one before (one connection keeps their order);
   * `false`: only when the one before is confirmed (receipts come in any order).
   */
  readonly pipelined: boolean;
  /** Entries of a lane held in memory while waiting, at most (twice that while some wait for a receipt). */
  readonly page?: number;
}

const PAGE = 256;
/** Pages read from disk in one turn of the event loop. */
const PAGES_PER_TURN = 4;
/** Who goes when lane 0 has nothing: mostly other alarms, but the others are never shut out. */
const TURNS: readonly Lane[] = [1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 3];

/**
 * The backlog to the centre is the journal behind four cursors; this is its front end in memory. What it promises:
 *
 * - Lane 0 goes first, always. Lanes 1 to 3 share what is left.
 * - The events of one alarm leave in order of `seq` even when they lie in different lanes (an alarm whose level rises
 *   moves from lane 1 to 0). An entry that comes into memory in lane 0 takes along what its alarm still has in lane 1;
 *   when lane 1 gets there it sees a later entry of the alarm in lane 0 and passes over it. That needs no memory of
 *   what was taken along, and holds across restarts, because lane 0's cursor cannot pass an entry before all it took
 *   along is confirmed.
 * - Memory holds a page of each lane, what is in flight, and what was taken along.
 */
export class Lanes {
  readonly #source: LaneSource;
  readonly #clock: Clock;
  readonly #encode: LanesOptions['encode'];
  readonly #pipelined: boolean;
  readonly #page: number;
  readonly #lanes: readonly [LaneQueue, LaneQueue, LaneQueue, LaneQueue];
  /** The newest unfinished item of each alarm. */
  readonly #tails = new Map<string, Item>();
  /** Unfinished items taken from disk ahead of their lane, by seq. */
  readonly #ahead = new Map<number, Item>();
  readonly #moved = new Set<Lane>();
  readonly #dropped = new DroppedSoFar();
  /** Everything up to here has been looked at or lies behind a lane's `read`. */
  #known: number;
  #order = 0;
  #turn = 0;
  #pages = 0;
  coalesced = 0;
  expired = 0;
  unsendable = 0;

  constructor(options: LanesOptions) {
    this.#source = options.source;
    this.#clock = options.clock;
    this.#encode = options.encode;
    this.#pipelined = options.pipelined;
    this.#page = options.page ?? PAGE;
    this.#known = options.source.head();
    const queue = (lane: Lane) => {
      // A database restored from an older backup may end before a cursor.
      const cursor = Math.min(options.cursors[lane], this.#known);
      return new LaneQueue(lane, cursor, options.source.count(lane, cursor));
    };
    this.#lanes = [queue(0), queue(1), queue(2), queue(3)];
  }

  /**
   * A follower of the journal: what was committed, in order of `seq`.
   * @throws QuanweiError STORAGE_* when something had to be looked up and could not; nothing is lost by it
   */
  take(entries: readonly Entry[]): void {
    let failure: unknown = null;
    for (const entry of entries) {
      if (entry.seq <= this.#known || entry.lane === null) continue;
      const queue = this.#lanes[entry.lane];
      const blocked = entry.lane === 1 && this.#lanes[0].behind;
      queue.behind ||= blocked || queue.waiting.length >= this.#page;
      if (!queue.behind) {
        try {
          this.#admit(queue, entry);
          queue.read = entry.seq;
          continue;
        } catch (thrown) {
          // It is on disk; the lane reads it from there when that works again.
          queue.read = entry.seq - 1;
          queue.behind = true;
          failure ??= thrown;
        }
      }
      queue.unread += 1;
    }
    this.#known = Math.max(this.#known, entries.at(-1)?.seq ?? 0);
    for (const queue of this.#lanes) if (!queue.behind) queue.read = this.#known;
    if (failure !== null) throw failure;
  }

  /** To be called before a round of `next`: the disk is read only so much in one turn of the event loop. */
  newTurn(): void {
    this.#pages = 0;
  }

  /** Whether `next` stopped because it had read enough for one turn. */
  get exhausted(): boolean {
    return this.#pages >= PAGES_PER_TURN;
  }

  /** The item to send now, or `null`. @param may whether a lane's window has room */
  next(may: (lane: Lane) => boolean): Item | null {
    const urgent = this.#firstOf(this.#lanes[0]);
    if (urgent !== null) return may(0) ? urgent : null;
    for (let tries = 0; tries < TURNS.length; tries += 1) {
      const lane = TURNS[(this.#turn + tries) % TURNS.length] as Lane;
      const item = may(lane) ? this.#firstOf(this.#lanes[lane]) : null;
      if (item === null) continue;
      this.#turn = (this.#turn + tries + 1) % TURNS.length;
      return item;
    }
    return null;
  }

  sent(item: Item): void {
    const { waiting } = this.#lanes[item.lane];
    const at = waiting.indexOf(item);
    if (at >= 0) waiting.splice(at, 1);
    item.state = 'sent';
    item.attempts += 1;
    item.taken = false;
    item.sentAt = this.#clock.mono();
  }

  /** Confirmed, or given up for good: it holds nothing back any more. */
  finish(item: Item): void {
    if (item.state === 'done') return;
    item.state = 'done';
    trim(item);
    if (item.alarm !== null && this.#tails.get(item.alarm) === item) this.#tails.delete(item.alarm);
    this.#ahead.delete(item.seq);
    for (const slot of item.slots) slot.pending -= 1;
    for (const queue of this.#lanes) if (queue.settle()) this.#moved.add(queue.lane);
  }

  /** The connection is gone: what was sent and not confirmed waits again, in the order it had. */
  requeue(items: Iterable<Item>): void {
    for (const item of items) {
      if (item.state !== 'sent') continue;
      item.state = 'waiting';
      this.#lanes[item.lane].waiting.push(item);
    }
    for (const { waiting } of this.#lanes) waiting.sort((a, b) => a.order - b.order);
  }

  /** Everything of the lane up to here is finished. */
  cursor(lane: Lane): number {
    return this.#lanes[lane].cursor;
  }

  /** An entry of an alarm that is in memory and not confirmed. */
  unfinished(seq: number, alarm: string | null): Item | null {
    let item = alarm === null ? null : (this.#tails.get(alarm) ?? null);
    while (item !== null && item.seq !== seq) item = item.previous;
    return item === null || item.state === 'done' ? null : item;
  }

  /** Cursors that moved since this was last asked. */
  moved(): { lane: Lane; seq: number }[] {
    const moved = [...this.#moved].map((lane) => ({ lane, seq: this.#lanes[lane].cursor }));
    this.#moved.clear();
    return moved;
  }

  /** They could not be written: to be asked for again. */
  notMoved(lanes: Iterable<Lane>): void {
    for (const lane of lanes) this.#moved.add(lane);
  }

  /** What expired since this was last asked. */
  dropped(): Dropped[] {
    return this.#dropped.take();
  }

  get hasDropped(): boolean {
    return this.#dropped.any;
  }

  /** Unconfirmed entries and the age of the oldest, by lane. Cheap: nothing is counted here. */
  backlog(): { waiting: number; oldestMs: number }[] {
    return this.#lanes.map((queue) => {
      const waiting = queue.unread + queue.slots.length;
      const at = queue.slots[0]?.at ?? (waiting > 0 ? this.#firstOnDisk(queue) : undefined);
      return { waiting, oldestMs: at === undefined ? 0 : this.#age(at) };
    });
  }

  #firstOnDisk(queue: LaneQueue): Entry | undefined {
    return this.#source.read({ lanes: [queue.lane], after: queue.read, limit: 1 })[0];
  }

  /** By monotonic time within this process, so that a wall clock that is stepped makes nothing older. */
  #age(at: Moment): number {
    const clock = this.#clock;
    return Math.max(0, at.boot === clock.boot ? clock.mono() - at.mono : clock.wall() - at.wall);
  }

  #firstOf(queue: LaneQueue): Item | null {
    for (;;) {
      let gone = 0;
      let first: Item | null = null;
      for (const item of queue.waiting) {
        if (item.state === 'waiting' && this.#expired(item)) this.#drop(item);
        if (item.state !== 'waiting') gone += 1;
        else if (this.#ready(item)) {
          first = item;
          break;
        }
      }
      if (gone > 0) queue.waiting = queue.waiting.filter(({ state }) => state === 'waiting');
      if (first !== null) return first;
      if (!queue.behind || queue.waiting.length >= 2 * this.#page || this.exhausted) return null;
      if (!this.#readPage(queue)) return null;
    }
  }

  #ready(item: Item): boolean {
    trim(item);
    return item.previous === null || (this.#pipelined && item.previous.state === 'sent');
  }

  /** `false` when there is nothing to read for now. */
  #readPage(queue: LaneQueue): boolean {
    // Lane 1 stays behind lane 0, so that whatever it brings in has nothing older of its alarm left on disk there.
    const upTo = queue.lane === 1 ? Math.min(this.#known, this.#lanes[0].read) : this.#known;
    const after = queue.read;
    if (after >= upTo) {
      if (upTo === this.#known) queue.behind = false;
      return false;
    }
    this.#pages += 1;
    const entries = this.#source.read({ lanes: [queue.lane], after, before: upTo + 1, limit: this.#page });
    const whole = entries.length < this.#page;
    const repeated = this.#newestRepetitions(entries);
    const overtaken = this.#overtaken(queue, entries);
    for (const entry of entries) {
      const { subject, kind } = entry;
      if (subject === null || !kind.startsWith('alarm.')) this.#admit(queue, entry);
      else if (entry.seq < (overtaken.get(subject) ?? 0)) this.#passOver(queue, entry);
      else this.#admit(queue, entry, kind === 'alarm.repeated' && entry.seq !== repeated.get(subject));
      // Only now: what could not be looked up is read again.
      queue.read = entry.seq;
      queue.unread = Math.max(0, queue.unread - 1);
    }
    if (whole) queue.read = upTo;
    queue.behind = queue.read < this.#known;
    if (!queue.behind) queue.unread = 0;
    return true;
  }

  /**
   * For each alarm of a page its newest repetition, or `Infinity` when a newer one lies further on: older ones say
   * nothing that it does not. Asked of the whole journal, so that a repetition left out once is left out for ever;
   * otherwise it could follow, after a crash, the newer one it was left out for.
   */
  #newestRepetitions(entries: readonly Entry[]): Map<string, number> {
    const newest = new Map<string, number>();
    for (const { kind, subject, seq } of entries) {
      if (kind === 'alarm.repeated' && subject !== null) newest.set(subject, seq);
    }
    for (const [subject, seq] of newest) {
      if (repeatedAfter(this.#source, subject, seq)) newest.set(subject, Number.POSITIVE_INFINITY);
    }
    return newest;
  }

  /** For each alarm of a page of lane 1: the newest of its entries that lane 0 has brought in. */
  #overtaken(queue: LaneQueue, entries: readonly Entry[]): Map<string, number> {
    const overtaken = new Map<string, number>();
    const after = entries[0]?.seq;
    if (queue.lane !== 1 || after === undefined) return overtaken;
    const stretch = { after, upTo: this.#lanes[0].read };
    if (!anyIn(this.#source, 0, stretch)) return overtaken;
    for (const { kind, subject } of entries) {
      if (subject === null || overtaken.has(subject) || !kind.startsWith('alarm.')) continue;
      overtaken.set(subject, newestOf(this.#source, subject, 0, stretch));
    }
    return overtaken;
  }

  #passOver(queue: LaneQueue, entry: Entry): void {
    const item = this.#ahead.get(entry.seq);
    if (item === undefined) return;
    // Under way, not confirmed: this lane's cursor may not pass it either, or a crash now would lose it.
    const slot = slotOf(entry);
    queue.slots.push(slot);
    attach(item, slot);
  }

  /** @param pointless it is not to be sent itself, but counts as having been here */
  #admit(queue: LaneQueue, entry: Entry, pointless = false): void {
    const slot = slotOf(entry);
    if (queue.lane === 0) this.#takeAlong(entry, slot);
    if (pointless) this.coalesced += 1;
    const item = pointless ? null : this.#enqueue(queue, entry, slot);
    // Pushed also when only what was taken along waits in it.
    if (slot.pending > 0) queue.slots.push(slot);
    if (item === null) return;
    for (let before = item.previous; before !== null; before = before.previous) {
      if (before.state === 'done') continue;
      if (before.home !== item.home) attach(before, slot);
      if (before.lane > item.lane && before.state === 'waiting') this.#promote(before, item);
    }
  }

  /** Brings in, before an entry of lane 0, what its alarm still has on disk in lane 1. */
  #takeAlong(entry: Entry, slot: Slot): void {
    const behind = this.#lanes[1];
    if (!behind.behind || entry.subject === null || entry.kind === 'alarm.raised') return;
    if (!entry.kind.startsWith('alarm.')) return;
    // An earlier entry of the alarm in lane 0 has already taken along all before itself.
    const taken = newestOf(this.#source, entry.subject, 0, { after: behind.read, upTo: entry.seq - 1 });
    const stretch = { after: Math.max(behind.read, taken), upTo: entry.seq - 1 };
    for (const older of transitionsOf(this.#source, entry.subject, 1, stretch)) {
      const item = this.#enqueue(this.#lanes[0], older, slot);
      if (item !== null) this.#ahead.set(older.seq, item);
    }
  }

  /** Lets an item travel with the urgency of a later one of its alarm, just before it. */
  #promote(item: Item, before: Item): void {
    const from = this.#lanes[item.lane];
    from.waiting = from.waiting.filter((other) => other !== item);
    item.lane = before.lane;
    const { waiting } = this.#lanes[before.lane];
    let at = waiting.length;
    while (at > 0 && (waiting[at - 1] as Item).order > item.order) at -= 1;
    waiting.splice(at, 0, item);
  }

  #enqueue(queue: LaneQueue, entry: Entry, slot: Slot): Item | null {
    const message = this.#encode(entry);
    if (message === null) {
      this.unsendable += 1;
      return null;
    }
    const alarm = entry.kind.startsWith('alarm.') ? entry.subject : null;
    this.#order += 1;
    const item: Item = {
      seq: entry.seq,
      id: entry.id,
      at: momentOf(entry),
      message,
      home: entry.lane ?? queue.lane,
      lane: queue.lane,
      alarm,
      repeated: entry.kind === 'alarm.repeated',
      order: this.#order,
      slots: [],
      state: 'waiting',
      previous: alarm === null ? null : (this.#tails.get(alarm) ?? null),
      attempts: 0,
      sentAt: 0,
      taken: false,
    };
    attach(item, slot);
    if (alarm !== null) this.#tails.set(alarm, item);
    if (item.repeated) this.#coalesce(item);
    queue.waiting.push(item);
    return item;
  }

  /** A repetition that nobody has seen yet says nothing that a newer one does not. */
  #coalesce(item: Item): void {
    for (let before = item.previous; before !== null; before = before.previous) {
      if (!before.repeated || before.state !== 'waiting' || before.attempts > 0) continue;
      this.finish(before);
      this.coalesced += 1;
    }
  }

  #expired({ message, at }: Item): boolean {
    if (message.lifetime === null || this.#age(at) <= message.lifetime) return false;
    return at.boot === this.#clock.boot || this.#clock.state() === 'synced';
  }

  #drop(item: Item): void {
    this.expired += 1;
    this.#dropped.add(item);
    this.finish(item);
  }
}
