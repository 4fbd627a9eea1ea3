import { ownBytes, type QueuedPacket } from './queues.ts';
import type { SessionStore, WriteBehind } from './write-behind.ts';

/** Larger payloads are not kept: what matters is that the identifier was used, the message itself is in the journal. */
const KEPT_PAYLOAD = 1_024;

/**
 * QoS 2 messages accepted and not yet released [MQTT-4.3.3-2]: the same identifier again is the same message. Those of a
 * remembered session are on disk before PUBREC; those of a clean one die with its connection, as the standard says.
 */
export class Incoming {
  readonly #store: SessionStore;
  readonly #later: WriteBehind;
  readonly #clients = new Map<string, Map<number, QueuedPacket>>();

  constructor(store: SessionStore, later: WriteBehind) {
    this.#store = store;
    this.#later = later;
  }

  load(): void {
    for (const row of this.#store.select<{ client: string; message_id: number }>(
      'SELECT client, message_id FROM mqtt_incoming',
    )) {
      this.#of(row.client).set(row.message_id, { cmd: 'publish', qos: 2, messageId: row.message_id });
    }
  }

  get(client: string, messageId: number): QueuedPacket | undefined {
    return this.#clients.get(client)?.get(messageId);
  }

  async store(client: string, messageId: number, packet: QueuedPacket, durable: boolean): Promise<void> {
    const { payload } = packet;
    if (durable) {
      await this.#store.write([
        { sql: 'INSERT OR REPLACE INTO mqtt_incoming (client, message_id) VALUES (?, ?)', params: [client, messageId] },
      ]);
    }
    this.#of(client).set(messageId, {
      cmd: packet.cmd,
      brokerId: packet.brokerId,
      brokerCounter: packet.brokerCounter ?? 0,
      topic: packet.topic,
      payload: payload !== undefined && payload.length > KEPT_PAYLOAD ? Buffer.alloc(0) : ownBytes(payload),
      qos: packet.qos,
      retain: packet.retain ?? false,
      dup: packet.dup ?? false,
      messageId,
    });
  }

  /** @returns whether it was there */
  delete(client: string, messageId: number): boolean {
    const packets = this.#clients.get(client);
    if (packets?.delete(messageId) !== true) return false;
    if (packets.size === 0) this.#clients.delete(client);
    this.#later.put(`incoming ${client} ${messageId}`, {
      sql: 'DELETE FROM mqtt_incoming WHERE client = ? AND message_id = ?',
      params: [client, messageId],
    });
    return true;
  }

  drop(client: string): void {
    for (const messageId of [...(this.#clients.get(client)?.keys() ?? [])]) this.delete(client, messageId);
  }

  clients(): IterableIterator<string> {
    return this.#clients.keys();
  }

  #of(client: string): Map<number, QueuedPacket> {
    let packets = this.#clients.get(client);
    if (packets === undefined) {
      packets = new Map();
      this.#clients.set(client, packets);
    }
    return packets;
  }
}
