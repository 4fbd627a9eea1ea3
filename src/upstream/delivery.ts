import type { UpstreamConfig } from '../config/schema.ts';
import type { Entry, Lane } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { Cursors, storedCursors } from './cursors.ts';
import type { Outbound } from './envelope.ts';
import type { Item } from './item.ts';
import { Lanes } from './lanes.ts';
import type { Link } from './link.ts';
import { parseReceipt, type Receipt } from './receipt.ts';
import { type Fate, type Fated, Receipts } from './receipts.ts';
import { Window } from './window.ts';

export interface DeliveryOptions {
  readonly journal: Journal;
  readonly config: UpstreamConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly encode: (entry: Entry) => Outbound | null;
}

export interface DeliveryCounts {
  /** Messages handed to a connection, resends included. */
  readonly sent: number;
  readonly resent: number;
  readonly confirmed: number;
  /** Refused by the centre for good. */
  readonly rejected: number;
  /** Records that grew too old to be sent. */
  readonly expired: number;
  /** Repetitions of an alarm that a newer one made pointless. */
  readonly coalesced: number;
  /** Entries of which nothing was left to send. */
  readonly unsendable: number;
  readonly badReceipts: number;
  /** Taken by a broker that had nobody to give them to (MQTT 5 brokers say so). */
  readonly unheard: number;
}

/** A receipt may take this many times longer after resends, at most. */
const MOST_PATIENCE = 8;
/** The broker has to confirm a message within this, ms; else the connection is dead. */
const PUBACK_MS = 30_000;
const REJECT_RETRY_MS = 5_000;

/**
 * What goes over a connection: picks from the lanes, sends, takes confirmations, moves the cursors. Knows nothing of
 * how a connection comes about; `use` gives it one, `lost` takes it away.
 */
export class Delivery {
  readonly #o: DeliveryOptions;
  readonly #receipts: boolean;
  readonly #lanes: Lanes;
  readonly #cursors: Cursors;
  readonly #window: Window;
  /** Items sent at least once and not finished, by event id: receipts name them. */
  readonly #byId = new Map<string, Item>();
  readonly receipts = new Receipts();
  #link: Link | null = null;
  #pumping = false;
  #stopped = false;
  #idle: (() => void) | null = null;
  readonly #counts = { sent: 0, resent: 0, confirmed: 0, rejected: 0, badReceipts: 0, unheard: 0 };
  /** When anything was last confirmed, wall clock. */
  lastConfirmed: number | null = null;
  /** ms from handing the last event to the line to its confirmation */
  latencyMs: number | null = null;

  constructor(options: DeliveryOptions) {
    const { journal, config, clock, log, encode } = options;
    this.#o = options;
    this.#receipts = config.confirm === 'receipt';
    this.#window = new Window(config.inflight);
    this.#lanes = new Lanes({
      source: journal,
      clock,
      encode,
      cursors: storedCursors(journal),
      pipelined: !this.#receipts,
    });
    this.#cursors = new Cursors({ journal, lanes: this.#lanes, clock, log });
  }

  /** Whether anything was ever confirmed, in this process or an earlier one. */
  get proven(): boolean {
    return this.#counts.confirmed > 0 || storedCursors(this.#o.journal).some((seq) => seq > 0);
  }

  get counts(): DeliveryCounts {
    const { expired, coalesced, unsendable } = this.#lanes;
    return { ...this.#counts, expired, coalesced, unsendable };
  }

  get inflight(): number {
    return this.#window.size;
  }

  /** Unconfirmed events of one lower class the line takes at present. */
  get window(): number {
    return this.#window.paced;
  }

  /** How far an entry has come. */
  fate({ seq, lane, subject }: Fated): Fate {
    const told = this.receipts.get(seq);
    if (told !== null) {
      const { at, ms, rejected } = told;
      return { state: rejected === null ? 'confirmed' : 'rejected', at, ms, reason: rejected };
    }
    const item = this.#lanes.unfinished(seq, subject);
    const state =
      item !== null
        ? item.state === 'sent'
          ? item.taken
            ? 'taken'
            : 'sent'
          : 'waiting'
        : lane !== null && seq <= this.#lanes.cursor(lane)
          ? 'passed'
          : 'waiting';
    return { state, at: null, ms: null, reason: null };
  }

  backlog(): { waiting: number; oldestMs: number }[] {
    return this.#lanes.backlog();
  }

  /** Committed entries, in order. */
  take(entries: readonly Entry[]): void {
    try {
      this.#lanes.take(entries);
    } finally {
      this.#pump();
    }
  }

  use(link: Link): void {
    this.#link = link;
    this.#pump();
  }

  lost(): void {
    this.#link = null;
    this.#lanes.requeue(this.#window.clear());
    this.#idle?.();
  }

  /** Nothing new is sent any more; resolves when all that is under way is confirmed or the connection lost. */
  settled(): Promise<void> {
    this.#stopped = true;
    if (this.#window.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Writes how far all was confirmed. */
  finish(): Promise<void> {
    this.#stopped = true;
    return this.#cursors.finish();
  }

  /** What the centre says about events. */
  receipt(payload: Buffer): void {
    const receipt = parseReceipt(payload);
    if (receipt === null) this.#counts.badReceipts += 1;
    else for (const id of receipt.ids) this.#judged(id, receipt);
  }

  /** Now and then: what the broker or the centre has left unanswered for too long. */
  look(): void {
    const link = this.#link;
    if (link === null) return;
    const { clock, config } = this.#o;
    const now = clock.mono();
    for (const item of this.#window.items) {
      const silence = now - item.sentAt;
      if (!item.taken && silence > PUBACK_MS) {
        link.break(new QuanweiError('UPSTREAM_UNAVAILABLE', 'the broker takes messages and does not confirm them'));
        return;
      }
      const patience = config.receiptTimeout * Math.min(MOST_PATIENCE, 2 ** (item.attempts - 1));
      if (item.taken && silence > patience && link.room() > 0) {
        this.#lanes.sent(item);
        this.#send(link, item);
      }
    }
    this.#pumpSoon();
  }

  /** At the end of the turn, so that confirmations that come together are followed by messages that leave together. */
  #pumpSoon(): void {
    if (this.#pumping || this.#link === null) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    const link = this.#link;
    if (link === null || this.#stopped) return;
    const lanes = this.#lanes;
    lanes.newTurn();
    try {
      while (link.room() > 0) {
        const item = lanes.next((lane: Lane) => this.#window.open(lane));
        if (item === null) break;
        lanes.sent(item);
        this.#window.add(item);
        this.#send(link, item);
      }
    } catch (thrown) {
      // The journal cannot be read just now; `look` tries again.
      this.#o.log.error({ err: thrown }, `cannot read what the centre is to be told: ${messageOf(thrown)}`);
      return;
    }
    if (lanes.exhausted) this.#pumpSoon();
    if (lanes.hasDropped) this.#cursors.touch();
  }

  #send(link: Link, item: Item): void {
    const { clock } = this.#o;
    const { sentAt, message } = item;
    this.#counts.sent += 1;
    if (item.attempts > 1) this.#counts.resent += 1;
    if (this.#receipts) this.#byId.set(item.id, item);
    link.publish(message.topic, message.payload, false, (error, heard) => {
      if (error !== null) {
        link.break(error);
        return;
      }
      if (!heard) this.#counts.unheard += 1;
      const now = clock.mono();
      this.#window.took(now - sentAt, now);
      item.taken = true;
      // Also when the connection is gone meanwhile: what arrived late arrived, and is not sent again.
      if (!this.#receipts) this.#confirm(item);
    });
  }

  /** @param rejected why the centre will never take it; `null`: it has */
  #confirm(item: Item, rejected: string | null = null): void {
    if (item.state === 'done') return;
    const { clock } = this.#o;
    this.#window.delete(item);
    this.#byId.delete(item.id);
    this.#lanes.finish(item);
    this.#counts.confirmed += 1;
    this.lastConfirmed = clock.wall();
    this.latencyMs = clock.mono() - item.sentAt;
    this.receipts.add(item, this.lastConfirmed, this.latencyMs, rejected);
    this.#cursors.touch();
    if (this.#window.size === 0) this.#idle?.();
    this.#pumpSoon();
  }

  #judged(id: string, { result, reason }: Receipt): void {
    const item = this.#byId.get(id);
    if (item === undefined) return;
    if (result === 'rejected') {
      this.#byId.delete(id);
      this.#reject(item, reason ?? '');
    } else this.#confirm(item);
  }

  /** The centre will never take it: written down, then passed over. */
  #reject(item: Item, reason: string): void {
    const { journal, clock, log } = this.#o;
    const body = { id: item.id, seq: item.seq, topic: item.message.topic, reason };
    journal
      .append([{ kind: 'upstream.rejected', actor: 'centre', subject: item.alarm, body }])
      .then(() => {
        this.#counts.rejected += 1;
        this.#confirm(item, reason);
      })
      .catch((thrown: unknown) => {
        log.warn({ err: thrown, ...body }, 'a rejection could not be recorded');
        if (!this.#stopped) clock.after(REJECT_RETRY_MS, () => this.#reject(item, reason));
      });
  }
}
