import { Readable } from 'node:stream';
import type { Clock, MonoMs } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Drop } from './counters.ts';
import { Incoming } from './incoming.ts';
import { LIMITS } from './limits.ts';
import { type QueuedPacket, Queues } from './queues.ts';
import { RetainedMessages } from './retained.ts';
import { type StoredSubscription, type Subscriber, Subscriptions } from './subscriptions.ts';
import { type SessionStore, WriteBehind } from './write-behind.ts';

export interface SessionsParts {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Messages kept for one client that is away. */
  readonly maxQueued: number;
  readonly dropped: (why: Drop) => void;
  /** Subscriptions that were refused; aedes hands them over together with the others of their packet. */
  readonly refused?: WeakSet<object>;
}

/** The part of an aedes client its persistence is called with. */
export interface SessionClient {
  readonly id: string;
  readonly clean?: boolean;
}

/** A will as stored: a packet with the process that holds it. */
export interface StoredWill extends QueuedPacket {
  clientId?: string;
}

/**
 * What MQTT keeps between connections, in SQLite behind a copy in memory: the persistence of aedes (its own abstract
 * suite runs against this class). What it costs: a QoS 0 message, and a QoS 1 message nobody remembered subscribes to,
 * cost nothing here.
 */
export class Sessions {
  readonly subscriptions: Subscriptions;
  readonly queues: Queues;
  readonly retained: RetainedMessages;
  readonly #incoming: Incoming;
  readonly #wills = new Map<string, StoredWill>();
  /** By device, the clients it is remembered under, the one seen longest ago first. */
  readonly #clients = new Map<string, Map<string, MonoMs>>();
  readonly #refused: WeakSet<object>;
  readonly #store: SessionStore;
  readonly #later: WriteBehind;
  readonly #clock: Clock;
  #broker: { readonly id: string } = { id: '' };
  #loaded = false;
  #destroyed = false;

  constructor({ store, clock, log, maxQueued, dropped, refused = new WeakSet() }: SessionsParts) {
    this.#store = store;
    this.#clock = clock;
    this.#refused = refused;
    this.#later = new WriteBehind(store, clock, log);
    this.subscriptions = new Subscriptions(store);
    this.queues = new Queues(store, this.#later, { perClient: maxQueued, bytes: LIMITS.queuedBytes }, dropped);
    this.retained = new RetainedMessages(
      store,
      this.#later,
      { perOwner: LIMITS.retainedPerDevice, payload: LIMITS.retainedPayload, bytes: LIMITS.retainedBytes },
      dropped,
    );
    this.#incoming = new Incoming(store, this.#later);
  }

  /** aedes asks for an async function here. */
  async setup(broker: { readonly id: string }): Promise<void> {
    this.#broker = broker;
    if (this.#loaded) return;
    this.#loaded = true;
    this.subscriptions.load();
    this.queues.load();
    this.retained.load();
    this.#incoming.load();
    const rows = this.#store.select<{ client: string }>('SELECT client FROM mqtt_sessions ORDER BY seen');
    const kept = [this.subscriptions, this.queues, this.#incoming].flatMap((part) => [...part.clients()]);
    for (const client of [...rows.map((row) => row.client), ...kept]) this.#note(client);
    for (const { client, topic, payload, qos, retain } of this.#store.select<{
      client: string;
      topic: string;
      payload: Buffer;
      qos: number;
      retain: number;
    }>('SELECT client, topic, payload, qos, retain FROM mqtt_wills')) {
      this.#wills.set(client, { cmd: 'publish', topic, payload, qos, retain: retain === 1, clientId: client });
    }
  }

  /** Everything that waits is on disk when it resolves. */
  flush(): Promise<void> {
    return this.#later.flush();
  }

  async destroy(): Promise<void> {
    if (this.#destroyed) throw new Error('destroyed called twice!');
    this.#destroyed = true;
    await this.#later.close();
  }

  // Sessions as a whole

  /** A client that asked to be remembered is here, or was until now. */
  touch(client: string): void {
    this.#note(client);
    this.#later.put(`session ${client}`, {
      sql: 'INSERT OR REPLACE INTO mqtt_sessions (client, seen) VALUES (?, ?)',
      params: [client, this.#clock.wall()],
    });
  }

  /** Clients a device is remembered under, the one seen longest ago first. */
  of(device: string): string[] {
    return [...(this.#clients.get(device)?.keys() ?? [])];
  }

  devices(): string[] {
    return [...this.#clients.keys()];
  }

  /** ms of this run since the client was here (or since the start): a wall clock that is set for the first time expires nothing. */
  unseenFor(client: string): number {
    const seen = this.#clients.get(deviceOf(client))?.get(client);
    return seen === undefined ? 0 : this.#clock.mono() - seen;
  }

  async forget(client: string): Promise<void> {
    const device = deviceOf(client);
    const clients = this.#clients.get(device);
    if (clients?.delete(client) === true) {
      if (clients.size === 0) this.#clients.delete(device);
      this.#later.put(`session ${client}`, { sql: 'DELETE FROM mqtt_sessions WHERE client = ?', params: [client] });
    }
    this.queues.drop(client);
    this.#incoming.drop(client);
    await this.subscriptions.clear(client);
  }

  #note(client: string): void {
    const device = deviceOf(client);
    const clients = this.#clients.get(device) ?? new Map<string, MonoMs>();
    this.#clients.set(device, clients);
    clients.delete(client);
    clients.set(client, this.#clock.mono());
  }

  // Retained messages

  async storeRetained(packet: QueuedPacket & { readonly clientId?: string }): Promise<void> {
    this.retained.store(packet, packet.clientId === undefined ? null : deviceOf(packet.clientId));
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter]);
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.retained.matching(filters));
  }

  // Subscriptions

  async addSubscriptions(client: SessionClient, subscriptions: readonly StoredSubscription[]): Promise<void> {
    // aedes calls before it has asked about all of the packet's subscriptions; by the next tick it has.
    await Promise.resolve();
    await this.subscriptions.add(
      client.id,
      subscriptions.filter((subscription) => !this.#refused.has(subscription)),
    );
  }

  async removeSubscriptions(client: SessionClient, topics: readonly string[]): Promise<void> {
    await this.subscriptions.remove(client.id, topics);
  }

  async subscriptionsByClient(client: SessionClient): Promise<StoredSubscription[]> {
    return this.subscriptions.of(client.id);
  }

  async subscriptionsByTopic(topic: string): Promise<Subscriber[]> {
    return this.subscriptions.to(topic);
  }

  /** Called by aedes for a clean session: nothing of an earlier one is kept [MQTT-3.1.2-6], its queue included. */
  async cleanSubscriptions(client: SessionClient): Promise<void> {
    await this.forget(client.id);
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    return { subsCount: this.subscriptions.size, clientsCount: this.subscriptions.clientCount };
  }

  getClientList(topic: string): Readable {
    const clients = [...this.subscriptions.clients()];
    return Readable.from(
      clients.filter((client) => this.subscriptions.of(client).some((held) => held.topic === topic)),
    );
  }

  // Messages to clients

  async outgoingEnqueue(
    subscriber: { readonly clientId: string; readonly qos?: number },
    packet: QueuedPacket,
  ): Promise<void> {
    await this.queues.enqueue([subscriber], packet);
  }

  async outgoingEnqueueCombi(
    subscribers: readonly { readonly clientId: string; readonly qos?: number }[],
    packet: QueuedPacket,
  ): Promise<void> {
    await this.queues.enqueue(subscribers, packet);
  }

  async outgoingUpdate(client: SessionClient, packet: QueuedPacket): Promise<void> {
    await this.queues.update(client.id, packet);
  }

  async outgoingClearMessageId(client: SessionClient, packet: QueuedPacket): Promise<QueuedPacket | undefined> {
    return this.queues.clear(client.id, packet.messageId);
  }

  outgoingStream(client: SessionClient): Readable {
    return Readable.from(this.queues.of(client.id));
  }

  // QoS 2 messages from clients

  /** Whether this identifier has been accepted and not been released: the message is not to be counted again. */
  accepted(client: string, messageId: number): boolean {
    return this.#incoming.get(client, messageId) !== undefined;
  }

  async incomingStorePacket(client: SessionClient, packet: QueuedPacket): Promise<void> {
    await this.#incoming.store(client.id, packet.messageId ?? 0, packet, client.clean !== true);
  }

  async incomingGetPacket(client: SessionClient, packet: QueuedPacket): Promise<QueuedPacket> {
    const found = this.#incoming.get(client.id, packet.messageId ?? 0);
    if (found === undefined) throw new Error('no such packet');
    return found;
  }

  async incomingDelPacket(client: SessionClient, packet: QueuedPacket): Promise<void> {
    if (!this.#incoming.delete(client.id, packet.messageId ?? 0)) throw new Error('no such packet');
  }

  async cleanIncoming(client: SessionClient): Promise<void> {
    this.#incoming.drop(client.id);
  }

  // Wills

  async putWill(client: SessionClient, will: StoredWill): Promise<void> {
    will.brokerId = this.#broker.id;
    will.clientId = client.id;
    this.#wills.set(client.id, will);
    const payload = typeof will.payload === 'string' ? Buffer.from(will.payload) : (will.payload ?? Buffer.alloc(0));
    this.#later.put(`will ${client.id}`, {
      sql: 'INSERT OR REPLACE INTO mqtt_wills (client, topic, payload, qos, retain) VALUES (?, ?, ?, ?, ?)',
      params: [client.id, will.topic ?? '', payload, will.qos ?? 0, will.retain === true ? 1 : 0],
    });
  }

  async getWill(client: SessionClient): Promise<StoredWill | undefined> {
    return this.#wills.get(client.id);
  }

  async delWill(client: SessionClient): Promise<StoredWill | undefined> {
    const will = this.#wills.get(client.id);
    if (will === undefined) return undefined;
    this.#wills.delete(client.id);
    this.#later.put(`will ${client.id}`, { sql: 'DELETE FROM mqtt_wills WHERE client = ?', params: [client.id] });
    return will;
  }

  /** Wills of other processes than those named. */
  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return Readable.from(this.wills().filter(({ brokerId }) => brokerId === undefined || !brokers[brokerId]));
  }

  wills(): StoredWill[] {
    return [...this.#wills.values()];
  }
}

/** A client is known as DEVICE/CLIENT-ID; device ids hold no slash. */
export const deviceOf = (client: string): string => client.split('/', 1)[0] ?? client;
