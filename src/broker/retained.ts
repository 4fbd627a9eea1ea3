import type { Drop } from './counters.ts';
import { bytesOf, ownBytes, type QueuedPacket } from './queues.ts';
import { lets } from './topic-tree.ts';
import type { SessionStore, WriteBehind } from './write-behind.ts';

export interface RetainedLimits {
  /** Topics one device may keep a message on. */
  readonly perOwner: number;
  /** Bytes of one message, and of all together. */
  readonly payload: number;
  readonly bytes: number;
}

interface Retained {
  readonly packet: QueuedPacket;
  readonly owner: string | null;
}

/**
 * The last retained message of each topic. On disk half a second later than here: they are states that their
 * publishers say again, and what a device reported is in the journal anyway.
 */
export class RetainedMessages {
  readonly #store: SessionStore;
  readonly #later: WriteBehind;
  readonly #limits: RetainedLimits;
  readonly #drop: (why: Drop) => void;
  readonly #messages = new Map<string, Retained>();
  readonly #owned = new Map<string | null, number>();
  #bytes = 0;

  constructor(store: SessionStore, later: WriteBehind, limits: RetainedLimits, drop: (why: Drop) => void) {
    this.#store = store;
    this.#later = later;
    this.#limits = limits;
    this.#drop = drop;
  }

  load(): void {
    const rows = this.#store.select<{ topic: string; payload: Buffer; qos: number; owner: string | null }>(
      'SELECT topic, payload, qos, owner FROM mqtt_retained',
    );
    for (const { topic, payload, qos, owner } of rows) {
      this.#set(topic, { packet: { cmd: 'publish', topic, payload, qos, retain: true, dup: false }, owner });
    }
  }

  get size(): number {
    return this.#messages.size;
  }

  /** An empty payload removes. @param owner the device that published it; `null` for the gateway itself */
  store(packet: QueuedPacket, owner: string | null): void {
    const topic = packet.topic ?? '';
    const payload = bytesOf(packet.payload);
    if (payload.length === 0) {
      if (!this.#messages.has(topic)) return;
      this.#set(topic, null);
      this.#later.put(`retained ${topic}`, { sql: 'DELETE FROM mqtt_retained WHERE topic = ?', params: [topic] });
      return;
    }
    const before = this.#messages.get(topic);
    if (
      payload.length > this.#limits.payload ||
      this.#bytes - sizeOf(before) + payload.length > this.#limits.bytes ||
      (before === undefined && owner !== null && (this.#owned.get(owner) ?? 0) >= this.#limits.perOwner)
    ) {
      this.#drop('retained-full');
      return;
    }
    this.#set(topic, { packet: { ...packet, payload: ownBytes(packet.payload) }, owner });
    this.#later.put(`retained ${topic}`, {
      sql: 'INSERT OR REPLACE INTO mqtt_retained (topic, payload, qos, owner) VALUES (?, ?, ?, ?)',
      params: [topic, payload, packet.qos ?? 0, owner],
    });
  }

  /** One after the other in the order of the filters, as a subscriber is to receive them. */
  *matching(filters: readonly string[]): Generator<QueuedPacket> {
    for (const filter of filters) {
      if (!/[+#]/.test(filter)) {
        const exact = this.#messages.get(filter);
        if (exact !== undefined) yield exact.packet;
        continue;
      }
      for (const [topic, { packet }] of this.#messages) if (lets(filter, topic)) yield packet;
    }
  }

  #set(topic: string, retained: Retained | null): void {
    const before = this.#messages.get(topic);
    if (before !== undefined) {
      this.#bytes -= sizeOf(before);
      const left = (this.#owned.get(before.owner) ?? 1) - 1;
      if (left === 0) this.#owned.delete(before.owner);
      else this.#owned.set(before.owner, left);
    }
    if (retained === null) {
      this.#messages.delete(topic);
      return;
    }
    this.#messages.set(topic, retained);
    this.#bytes += sizeOf(retained);
    this.#owned.set(retained.owner, (this.#owned.get(retained.owner) ?? 0) + 1);
  }
}

const sizeOf = (retained: Retained | undefined): number => bytesOf(retained?.packet.payload).length;
