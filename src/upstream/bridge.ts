import type { UpstreamConfig } from '../config/schema.ts';
import type { Entry } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { Backoff } from '../kernel/backoff.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { idSource, type NewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { Delivery, type DeliveryCounts } from './delivery.ts';
import { Envelopes, type Outbound } from './envelope.ts';
import type { Connect, Downlink, Link } from './link.ts';
import { mqttConnect } from './mqtt-link.ts';
import { type OrderHandlers, Orders } from './orders.ts';
import type { Fate, Fated, Receipted } from './receipts.ts';
import { type Site, type SiteTopics, topicsOf } from './topics.ts';

export interface BridgeOptions {
  readonly journal: Journal;
  readonly config: UpstreamConfig;
  readonly site: Site;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1, for the waits between attempts */
  readonly random: () => number;
  readonly orders: OrderHandlers;
  /** What people call a device and where it is, for records that name it by id only. */
  readonly about?: (device: string) => { readonly name: string; readonly place: string } | null;
  /** How a connection is made; MQTT unless a test says otherwise. */
  readonly connect?: Connect;
}

export interface LaneState {
  /** Entries the centre has not confirmed. */
  readonly waiting: number;
  /** Age of the oldest of them, ms. */
  readonly oldestMs: number;
}

export interface BridgeState {
  readonly connected: boolean;
  /** Since when it is connected or not, wall clock. */
  readonly since: number;
  /** Why it is not connected, or what is wrong although it is. */
  readonly error: string | null;
  /** Attempts to connect since it last was. */
  readonly attempts: number;
  /** Connections made since the start. */
  readonly connections: number;
  readonly lanes: readonly LaneState[];
  readonly waiting: number;
  /** Age of the oldest unconfirmed alarm (lanes 0 and 1), ms; 0 for none. */
  readonly oldestAlarmMs: number;
  readonly inflight: number;
  /** Unconfirmed events of one lower class the line takes at present. */
  readonly window: number;
  /** When the centre last confirmed anything, wall clock. */
  readonly lastConfirmed: number | null;
  /** ms from handing the last event to the line to its confirmation */
  readonly latencyMs: number | null;
  readonly counts: DeliveryCounts;
  readonly orders: Readonly<Orders['counts']>;
}

const LOOK_EVERY_MS = 1_000;
/** How long the broker may take to answer our subscription before we send all the same, ms. */
const SUBSCRIBE_MS = 5_000;
/** How long the centre's readers get to come back to a broker that has lost its memory, ms. */
const READERS_MS = 3_000;
/** At the end, this long for what is under way to be confirmed, ms. */
const LAST_MS = 2_000;

/**
 * The way to the command centre. A fresh entry goes from the journal's commit to the line without a read from disk;
 * whatever cannot be sent stays in the journal behind the lanes' cursors, however long the centre is away.
 */
export class Bridge {
  readonly #o: BridgeOptions;
  readonly #topics: SiteTopics;
  readonly #newId: NewId;
  readonly #envelopes: Envelopes;
  readonly #connect: Connect;
  readonly #backoff: Backoff;
  readonly #orders: Orders;
  readonly #delivery: Delivery;
  readonly #cancels: Cancel[] = [];
  #link: Link | null = null;
  #ready = false;
  #stopping = false;
  #retry: Cancel | null = null;
  #stable: Cancel | null = null;
  #since: number;
  #error: string | null = null;
  #attempts = 0;
  #connections = 0;

  constructor(options: BridgeOptions) {
    const { journal, config, site, clock, log } = options;
    this.#o = options;
    this.#topics = topicsOf(site);
    this.#newId = idSource(clock);
    const about = options.about ?? (() => null);
    this.#envelopes = new Envelopes({ topics: this.#topics, expire: config.expire, about });
    this.#connect = options.connect ?? mqttConnect(config, site);
    this.#backoff = new Backoff({ ...config.backoff, random: options.random });
    this.#since = clock.wall();
    this.#orders = new Orders({
      journal,
      handlers: options.orders,
      clock,
      log,
      sendEvidence: (data) => this.#sendEvidence(data),
    });
    this.#delivery = new Delivery({ journal, config, clock, log, encode: (entry) => this.#encode(entry) });
    // Together with the reading of the cursors, so that nothing can be committed in between.
    this.#cancels.push(journal.follow((entries) => this.#delivery.take(entries)));
  }

  start(): void {
    const { clock, log } = this.#o;
    this.#cancels.push(clock.every(LOOK_EVERY_MS, () => this.#delivery.look()));
    this.#orders.start().catch((thrown: unknown) => log.error({ err: thrown }, 'interrupted orders were not answered'));
    this.#open();
  }

  /** Lets what is under way be confirmed, writes how far it came, says goodbye. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#retry?.cancel();
    this.#stable?.cancel();
    this.#orders.stop();
    for (const cancel of this.#cancels.splice(0)) cancel.cancel();
    const link = this.#link;
    if (link !== null && this.#ready) {
      await this.#within(LAST_MS, this.#delivery.settled(), undefined);
      await this.#say(link, 'offline', 'stopped');
    }
    await this.#delivery.finish();
    await link?.end();
  }

  state(): BridgeState {
    const delivery = this.#delivery;
    const lanes = delivery.backlog();
    return {
      connected: this.#ready,
      since: this.#since,
      error: this.#error,
      attempts: this.#attempts,
      connections: this.#connections,
      lanes,
      waiting: lanes.reduce((sum, { waiting }) => sum + waiting, 0),
      oldestAlarmMs: Math.max(lanes[0]?.oldestMs ?? 0, lanes[1]?.oldestMs ?? 0),
      inflight: delivery.inflight,
      window: delivery.window,
      lastConfirmed: delivery.lastConfirmed,
      latencyMs: delivery.latencyMs,
      counts: delivery.counts,
      orders: { ...this.#orders.counts },
    };
  }

  /** How far an entry has come on its way to the centre. */
  fate(entry: Fated): Fate {
    return this.#delivery.fate(entry);
  }

  /** What the centre said last, newest first, of this run. */
  receipts(most: number): Receipted[] {
    return this.#delivery.receipts.newest(most);
  }

  #open(): void {
    const { clock } = this.#o;
    this.#attempts += 1;
    const will = this.#envelopes.status(this.#newId(), clock.wall(), {
      state: 'offline',
      reason: 'lost',
      session: clock.boot,
    });
    try {
      const link: Link = this.#connect(
        { as: 'main', will: { topic: this.#topics.status, payload: will } },
        {
          up: (remembered) => {
            this.#up(link, remembered).catch((thrown: unknown) => link.break(asWorld(thrown)));
          },
          down: (error) => this.#down(link, error),
          message: (message) =>
            this.#receive(message).catch((thrown: unknown) =>
              this.#o.log.error({ err: thrown, topic: message.topic }, 'what the centre said could not be taken in'),
            ),
        },
      );
      this.#link = link;
    } catch (thrown) {
      this.#later(asWorld(thrown));
    }
  }

  async #up(link: Link, remembered: boolean): Promise<void> {
    const { config, clock, log } = this.#o;
    const wanted = [
      ...(config.orders ? [this.#topics.order] : []),
      ...(config.confirm === 'receipt' ? [this.#topics.receipt] : []),
    ];
    // First the ears, then the mouth: receipts that wait at the broker say what need not be sent again.
    const refused = wanted.length === 0 ? [] : await this.#within(SUBSCRIBE_MS, link.subscribe(wanted), []);
    // A broker that has forgotten us has forgotten its readers too: what it took now, it would give to nobody.
    if (!remembered && this.#delivery.proven) await this.#pause(READERS_MS);
    if (this.#link !== link || this.#stopping) return;
    this.#error = refused.length === 0 ? null : `the centre’s broker does not let us read ${refused.join(', ')}`;
    if (this.#error !== null) log.warn({ refused }, this.#error);
    this.#ready = true;
    this.#attempts = 0;
    this.#connections += 1;
    this.#since = clock.wall();
    log.info({ connections: this.#connections }, 'connected to the centre');
    this.#stable = clock.after(config.backoff.stable, () => this.#backoff.reset());
    this.#delivery.use(link);
    await this.#say(link, 'online', 'connected').catch((thrown: unknown) => {
      // Not a reason to keep alarms back: a centre may forbid the status topic.
      log.warn({ err: thrown }, 'the centre’s broker did not take our status');
    });
  }

  /** One entry that cannot be told must not keep back all behind it. */
  #encode(entry: Entry): Outbound | null {
    try {
      return this.#envelopes.of(entry);
    } catch (thrown) {
      this.#o.log.error({ err: thrown, seq: entry.seq, kind: entry.kind }, 'an entry cannot be told to the centre');
      return null;
    }
  }

  #down(link: Link, error: QuanweiError | null): void {
    if (this.#link !== link) return;
    this.#link = null;
    this.#stable?.cancel();
    if (this.#ready) {
      this.#since = this.#o.clock.wall();
      this.#delivery.lost();
    }
    this.#ready = false;
    if (!this.#stopping) this.#later(error ?? new QuanweiError('UPSTREAM_UNAVAILABLE', 'the connection was closed'));
  }

  #later(error: QuanweiError): void {
    const { clock, log } = this.#o;
    const wait = Math.round(this.#backoff.next());
    const says = error.describe();
    // A centre that is away for days is told once, not at every attempt.
    log[says === this.#error ? 'debug' : 'warn']({ attempts: this.#attempts, wait }, `no way to the centre: ${says}`);
    this.#error = says;
    this.#retry = clock.after(wait, () => this.#open());
  }

  async #receive({ topic, payload }: Downlink): Promise<void> {
    if (topic === this.#topics.receipt) this.#delivery.receipt(payload);
    else if (topic === this.#topics.order && this.#o.config.orders) await this.#orders.receive(payload);
  }

  /** Beside the main connection, so that no alarm queues behind a picture. */
  #sendEvidence(data: Record<string, unknown>): Promise<void> {
    const payload = this.#envelopes.evidence(this.#newId(), this.#o.clock.wall(), data);
    return new Promise((resolve, reject) => {
      const link: Link = this.#connect(
        { as: 'side', will: null },
        {
          up: () =>
            void published(link, this.#topics.evidence, payload, false)
              .then(resolve, reject)
              .then(() => link.end()),
          down: (error) => reject(error ?? new QuanweiError('UPSTREAM_UNAVAILABLE', 'the connection was closed')),
          message: () => Promise.resolve(),
        },
      );
    });
  }

  #say(link: Link, state: 'online' | 'offline', reason: 'connected' | 'stopped'): Promise<void> {
    const { clock } = this.#o;
    const payload = this.#envelopes.status(this.#newId(), clock.wall(), { state, reason, session: clock.boot });
    return this.#within(LAST_MS, published(link, this.#topics.status, payload, true), undefined);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#o.clock.after(ms, resolve);
    });
  }

  #within<T>(ms: number, work: Promise<T>, otherwise: T): Promise<T> {
    return new Promise((resolve, reject) => {
      const limit = this.#o.clock.after(ms, () => resolve(otherwise));
      work.then(resolve, reject).finally(() => limit.cancel());
    });
  }
}

const published = (link: Link, topic: string, payload: string, retain: boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    link.publish(topic, payload, retain, (error) => (error === null ? resolve() : reject(error)));
  });

const asWorld = (thrown: unknown): QuanweiError =>
  thrown instanceof QuanweiError
    ? thrown
    : new QuanweiError('UPSTREAM_UNAVAILABLE', messageOf(thrown), { cause: thrown });
