import { TopicTree } from './topic-tree.ts';
import type { SessionStore } from './write-behind.ts';

export interface StoredSubscription {
  readonly topic: string;
  readonly qos: number;
  readonly rh?: unknown;
  readonly rap?: unknown;
  readonly nl?: unknown;
  readonly subscriptionIdentifier?: unknown;
}

/** A subscription as it is found by topic. */
export interface Subscriber {
  readonly clientId: string;
  readonly topic: string;
  readonly qos: number;
  readonly rh: unknown;
  readonly rap: unknown;
  readonly nl: unknown;
}

/**
 * Subscriptions of clients that asked to be remembered (clean session 0). SUBACK is a promise, so a change is on disk
 * before it; a client that subscribes to what it had anyway, as most do on every reconnect, costs nothing.
 */
export class Subscriptions {
  readonly #store: SessionStore;
  readonly #clients = new Map<string, Map<string, StoredSubscription>>();
  /** QoS 1 and 2 only: nothing is queued for the others. */
  readonly #byTopic = new TopicTree<Subscriber>();
  readonly #found = new Map<string, Map<string, Subscriber>>();
  /** The last write under way for a client: who asks for the same again waits for it too. */
  readonly #writing = new Map<string, Promise<void>>();

  constructor(store: SessionStore) {
    this.#store = store;
  }

  load(): void {
    const rows = this.#store.select<{ client: string; topic: string; qos: number; options: string | null }>(
      'SELECT client, topic, qos, options FROM mqtt_subscriptions ORDER BY client, topic',
    );
    for (const { client, topic, qos, options } of rows) {
      this.#set(client, { topic, qos, ...(options === null ? {} : (JSON.parse(options) as object)) });
    }
  }

  async add(client: string, subscriptions: readonly StoredSubscription[]): Promise<void> {
    const before = this.#clients.get(client);
    const last = new Map(subscriptions.map((subscription) => [subscription.topic, subscription]));
    const changed = [...last.values()].filter((wanted) => !same(before?.get(wanted.topic), wanted));
    if (changed.length === 0) return this.#writing.get(client);
    for (const subscription of changed) this.#set(client, subscription);
    const written = this.#store.write(
      changed.map(({ topic, qos, ...options }) => ({
        sql: 'INSERT OR REPLACE INTO mqtt_subscriptions (client, topic, qos, options) VALUES (?, ?, ?, ?)',
        params: [client, topic, qos, optionsText(options)],
      })),
    );
    this.#writing.set(client, written);
    try {
      await written;
    } catch (thrown) {
      // Not promised, so not held: the client hears nothing and asks again.
      for (const { topic } of changed) this.#unset(client, topic);
      throw thrown;
    } finally {
      if (this.#writing.get(client) === written) this.#writing.delete(client);
    }
  }

  async remove(client: string, topics: readonly string[]): Promise<void> {
    const gone = topics.filter((topic) => this.#unset(client, topic));
    await this.#store.write(
      gone.map((topic) => ({
        sql: 'DELETE FROM mqtt_subscriptions WHERE client = ? AND topic = ?',
        params: [client, topic],
      })),
    );
  }

  async clear(client: string): Promise<void> {
    const topics = [...(this.#clients.get(client)?.keys() ?? [])];
    if (topics.length === 0) return;
    for (const topic of topics) this.#unset(client, topic);
    await this.#store.write([{ sql: 'DELETE FROM mqtt_subscriptions WHERE client = ?', params: [client] }]);
  }

  of(client: string): StoredSubscription[] {
    return [...(this.#clients.get(client)?.values() ?? [])];
  }

  has(client: string): boolean {
    return this.#clients.has(client);
  }

  clients(): IterableIterator<string> {
    return this.#clients.keys();
  }

  /** Whether a message of QoS 1 or 2 would have to be queued for somebody. */
  any(topic: string): boolean {
    return this.#byTopic.matches(topic);
  }

  to(topic: string): Subscriber[] {
    return this.#byTopic.match(topic);
  }

  get size(): number {
    return this.#byTopic.size;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  #set(client: string, { topic, qos, rh, rap, nl, subscriptionIdentifier }: StoredSubscription): void {
    this.#unfind(client, topic);
    const topics = this.#clients.get(client) ?? new Map<string, StoredSubscription>();
    this.#clients.set(client, topics);
    topics.set(topic, {
      topic,
      qos,
      rh,
      rap,
      nl,
      ...(subscriptionIdentifier === undefined ? {} : { subscriptionIdentifier }),
    });
    if (qos === 0) return;
    const subscriber = { clientId: client, topic, qos, rh, rap, nl };
    this.#byTopic.add(topic, subscriber);
    const found = this.#found.get(client) ?? new Map<string, Subscriber>();
    this.#found.set(client, found);
    found.set(topic, subscriber);
  }

  #unset(client: string, topic: string): boolean {
    this.#unfind(client, topic);
    const topics = this.#clients.get(client);
    const had = topics?.delete(topic) ?? false;
    if (topics?.size === 0) this.#clients.delete(client);
    return had;
  }

  #unfind(client: string, topic: string): void {
    const found = this.#found.get(client);
    const subscriber = found?.get(topic);
    if (found === undefined || subscriber === undefined) return;
    this.#byTopic.remove(topic, subscriber);
    found.delete(topic);
    if (found.size === 0) this.#found.delete(client);
  }
}

const same = (a: StoredSubscription | undefined, b: StoredSubscription): boolean =>
  a !== undefined &&
  a.qos === b.qos &&
  a.rh === b.rh &&
  a.rap === b.rap &&
  a.nl === b.nl &&
  a.subscriptionIdentifier === b.subscriptionIdentifier;

/** Nothing for an MQTT 3.1.1 subscription, which has no options. */
function optionsText({
  rh,
  rap,
  nl,
  subscriptionIdentifier,
}: Omit<StoredSubscription, 'topic' | 'qos'>): string | null {
  const text = JSON.stringify({ rh, rap, nl, subscriptionIdentifier });
  return text === '{}' ? null : text;
}
