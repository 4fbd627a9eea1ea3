import type { Drop } from './counters.ts';
import type { SessionStore, WriteBehind } from './write-behind.ts';

/** A packet as aedes hands it to its persistence and wants it back. */
export interface QueuedPacket {
  cmd: string;
  brokerId?: string | undefined;
  brokerCounter?: number | undefined;
  topic?: string | undefined;
  payload?: Buffer | string | undefined;
  qos?: number | undefined;
  retain?: boolean | undefined;
  dup?: boolean | undefined;
  messageId?: number | undefined;
}

interface Queued {
  /** Names its row, and orders the queue. */
  readonly n: number;
  readonly bytes: number;
  packet: QueuedPacket;
  /** Sent on an earlier connection: this time DUP must be set [MQTT-3.3.1-1]. */
  resent: boolean;
}

export interface QueueLimits {
  /** Messages for one client. */
  readonly perClient: number;
  /** Bytes for all of them together. */
  readonly bytes: number;
}

const INSERT =
  'INSERT INTO mqtt_outgoing (n, client, cmd, topic, payload, qos, retain, message_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)';

/**
 * QoS 1 and 2 messages that a remembered client has not acknowledged yet. In memory and on disk: an enqueued message is
 * on disk when `enqueue` resolves; that it was acknowledged may be half a second late there, so that a power cut
 * repeats a message and never loses one.
 */
export class Queues {
  readonly #store: SessionStore;
  readonly #later: WriteBehind;
  readonly #limits: QueueLimits;
  readonly #drop: (why: Drop) => void;
  readonly #queues = new Map<string, Queued[]>();
  #bytes = 0;
  #length = 0;
  #next = 1;

  constructor(store: SessionStore, later: WriteBehind, limits: QueueLimits, drop: (why: Drop) => void) {
    this.#store = store;
    this.#later = later;
    this.#limits = limits;
    this.#drop = drop;
  }

  load(): void {
    const rows = this.#store.select<{
      n: number;
      client: string;
      cmd: string;
      topic: string | null;
      payload: Buffer | null;
      qos: number;
      retain: number;
      message_id: number | null;
    }>('SELECT n, client, cmd, topic, payload, qos, retain, message_id FROM mqtt_outgoing ORDER BY n');
    for (const row of rows) {
      const messageId = row.message_id ?? undefined;
      const packet: QueuedPacket =
        row.cmd === 'pubrel'
          ? { cmd: 'pubrel', messageId }
          : {
              cmd: 'publish',
              // Another process counted then; the row's number is as unique and cannot meet one of ours.
              brokerId: 'stored',
              brokerCounter: row.n,
              topic: row.topic ?? '',
              payload: row.payload ?? Buffer.alloc(0),
              qos: row.qos,
              retain: row.retain === 1,
              dup: false,
              messageId,
            };
      this.#push(row.client, { n: row.n, packet, bytes: sizeOf(packet), resent: false });
      this.#next = row.n + 1;
    }
  }

  /** Messages of all clients. */
  get length(): number {
    return this.#length;
  }

  full(client: string): boolean {
    return (this.#queues.get(client)?.length ?? 0) >= this.#limits.perClient || this.#bytes >= this.#limits.bytes;
  }

  /**
   * The newest message is the one that is not taken when a queue is full: its sender can still be told, and what a
   * device has begun to receive stays as it is.
   * @param subscribers one entry for each matching subscription; a client gets the message once, at its highest QoS
   */
  async enqueue(
    subscribers: readonly { readonly clientId: string; readonly qos?: number | undefined }[],
    packet: QueuedPacket,
  ): Promise<void> {
    if (subscribers.length === 0) return;
    const clients = new Map<string, number>();
    for (const { clientId, qos } of subscribers) {
      clients.set(clientId, Math.max(clients.get(clientId) ?? 0, Math.min(qos ?? 2, packet.qos ?? 0)));
    }
    const added: [string, Queued][] = [];
    for (const [client, qos] of clients) {
      if (this.full(client)) {
        this.#drop('queue-full');
        continue;
      }
      const queued = { n: this.#next++, packet: publishOf(packet, qos), bytes: sizeOf(packet), resent: false };
      this.#push(client, queued);
      added.push([client, queued]);
    }
    try {
      await this.#store.write(
        added.map(([client, { n, packet: kept }]) => ({
          sql: INSERT,
          params: [
            n,
            client,
            kept.cmd,
            kept.topic ?? '',
            bytesOf(kept.payload),
            kept.qos ?? 0,
            kept.retain ? 1 : 0,
            null,
          ],
        })),
      );
    } catch (thrown) {
      for (const [client, { n }] of added) this.#take(client, (queued) => queued.n === n);
      throw thrown;
    }
  }

  /** The message now has an identifier, or (QoS 2) was received and only waits for PUBCOMP. */
  async update(client: string, packet: QueuedPacket): Promise<void> {
    const queue = this.#queues.get(client) ?? [];
    for (const queued of queue) {
      if (queued.packet.brokerId === packet.brokerId && packet.cmd !== 'pubrel') {
        if (queued.packet.brokerCounter !== packet.brokerCounter) continue;
        queued.resent = queued.packet.messageId !== undefined && queued.packet.messageId === packet.messageId;
        queued.packet.messageId = packet.messageId;
        // Only for QoS 2 does the identifier mean anything after a power cut; QoS 1 may come twice.
        if (queued.packet.qos === 2 && !queued.resent) {
          await this.#store.write([
            {
              sql: 'UPDATE mqtt_outgoing SET message_id = ? WHERE n = ?',
              params: [packet.messageId ?? null, queued.n],
            },
          ]);
        }
        return;
      }
      const other = packet.cmd === 'pubrel' || queued.packet.brokerId !== packet.brokerId;
      if (other && queued.packet.messageId === packet.messageId) {
        queued.packet = packet;
        await this.#store.write([
          {
            sql: 'UPDATE mqtt_outgoing SET cmd = ?, payload = NULL, message_id = ? WHERE n = ?',
            params: [packet.cmd, packet.messageId ?? null, queued.n],
          },
        ]);
        return;
      }
    }
    throw new Error('no such packet');
  }

  /** Acknowledged for good. */
  clear(client: string, messageId: number | undefined): QueuedPacket | undefined {
    if (messageId === undefined) return undefined;
    const queued = this.#take(client, ({ packet }) => packet.messageId === messageId);
    if (queued === undefined) return undefined;
    this.#forget(queued.n);
    return queued.packet;
  }

  /** A copy: what is acknowledged meanwhile does not disturb who reads it. */
  of(client: string): QueuedPacket[] {
    return (this.#queues.get(client) ?? []).map(({ packet }) => packet);
  }

  resent(client: string, messageId: number): boolean {
    return this.#queues.get(client)?.some(({ packet, resent }) => resent && packet.messageId === messageId) ?? false;
  }

  drop(client: string): void {
    while (this.#queues.has(client)) {
      const queued = this.#take(client, () => true);
      if (queued !== undefined) this.#forget(queued.n);
    }
  }

  clients(): IterableIterator<string> {
    return this.#queues.keys();
  }

  #push(client: string, queued: Queued): void {
    const queue = this.#queues.get(client);
    if (queue === undefined) this.#queues.set(client, [queued]);
    else queue.push(queued);
    this.#bytes += queued.bytes;
    this.#length += 1;
  }

  #take(client: string, which: (queued: Queued) => boolean): Queued | undefined {
    const queue = this.#queues.get(client);
    const at = queue?.findIndex(which) ?? -1;
    if (queue === undefined || at === -1) return undefined;
    const [queued] = queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(client);
    if (queued !== undefined) {
      this.#bytes -= queued.bytes;
      this.#length -= 1;
    }
    return queued;
  }

  #forget(n: number): void {
    this.#later.put(`outgoing ${n}`, { sql: 'DELETE FROM mqtt_outgoing WHERE n = ?', params: [n] });
  }
}

const publishOf = (packet: QueuedPacket, qos: number): QueuedPacket => ({
  cmd: packet.cmd,
  brokerId: packet.brokerId,
  brokerCounter: packet.brokerCounter,
  topic: packet.topic,
  payload: ownBytes(packet.payload),
  qos,
  retain: packet.retain ?? false,
  dup: false,
  messageId: undefined,
});

export const bytesOf = (payload: Buffer | string | undefined): Buffer =>
  Buffer.isBuffer(payload) ? payload : Buffer.from(payload ?? '');

/** A payload that is kept must not keep the whole socket read it was cut from. */
export const ownBytes = (payload: Buffer | string | undefined): Buffer | string | undefined =>
  Buffer.isBuffer(payload) ? Buffer.from(payload) : payload;

/** What a queued message costs in memory, roughly. */
const sizeOf = ({ topic, payload }: QueuedPacket): number =>
  200 + (topic?.length ?? 0) + (payload === undefined ? 0 : payload.length);
