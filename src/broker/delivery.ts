import type { AedesPublishPacket, Client, Subscription } from 'aedes';
import type { Outgoing } from '../devices/event.ts';
import { Allowance } from '../kernel/allowance.ts';
import type { Clock } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { malformed } from './access.ts';
import type { Connection, Connections } from './connection.ts';
import type { Counters } from './counters.ts';
import { type Engine, engineClient } from './engine.ts';
import { LIMITS } from './limits.ts';
import type { BrokerDevice, BrokerRegistry } from './ports.ts';
import { deviceOf, type Sessions } from './sessions.ts';
import { lets } from './topic-tree.ts';

export interface DeliveryParts<D extends BrokerDevice> {
  readonly engine: () => Engine;
  readonly registry: BrokerRegistry<D>;
  readonly connections: Connections;
  readonly sessions: Sessions;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes one client may leave unread. */
  readonly maxUnread: number;
  readonly refreshRights: (connection: Connection) => void;
  /** Subscriptions that were refused: aedes would store them with the rest of their packet. */
  readonly refused: WeakSet<object>;
}

/** What goes out to devices: who may hear what, and the way commands take. */
export class Delivery<D extends BrokerDevice> {
  readonly #parts: DeliveryParts<D>;
  readonly #warnings: Allowance;

  constructor(parts: DeliveryParts<D>) {
    this.#parts = parts;
    this.#warnings = new Allowance(parts.clock, 5, 1 / 600);
  }

  /** `done(null, null)` is SUBACK 0x80. */
  subscribe(
    client: Client,
    subscription: Subscription,
    done: (error: Error | null, subscription?: Subscription | null) => void,
  ): void {
    const { connections, counters, log, refreshRights, refused, sessions } = this.#parts;
    const connection = connections.of(client);
    const { topic } = subscription;
    if (connection === undefined || malformed(topic)) {
      counters.drop('malformed');
      done(new Error('topic filter is not UTF-8 text'));
      return;
    }
    if (!connection.rights.maySubscribe(topic)) refreshRights(connection);
    const room = connection.filters.has(topic) || connection.filters.size < LIMITS.subscriptions;
    if (room && connection.rights.maySubscribe(topic)) {
      connection.filters.add(topic);
      done(null, subscription);
      return;
    }
    counters.drop('subscription');
    if (this.#warnings.take(connection.device)) {
      log.warn({ device: connection.device, topic: topic.slice(0, LIMITS.topic) }, 'a subscription was refused');
    }
    refused.add(subscription);
    // It may have been allowed once, and be remembered.
    sessions.subscriptions.remove(connection.key, [topic]).then(
      () => done(null, null),
      () => done(null, null),
    );
  }

  /** Called for every message on its way to a client; `null` holds it back. */
  forward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
    const { connections, counters, sessions, maxUnread } = this.#parts;
    const connection = connections.of(client);
    if (connection === undefined || !connection.rights.mayRead(packet.topic)) return null;
    if (packet.messageId === undefined) {
      // Once, however many of its subscriptions let the message through.
      if (packet.brokerCounter === connection.lastSent) return null;
      connection.lastSent = packet.brokerCounter;
    } else {
      packet.dup = sessions.queues.resent(connection.key, packet.messageId);
    }
    if (client.conn.writableLength > maxUnread) {
      if (!client.conn.destroyed) counters.drop('not-reading');
      client.conn.destroy();
      return null;
    }
    if (packet.qos === 2) packet.qos = grantedFor(client, packet.topic);
    counters.sent += 1;
    return packet;
  }

  connected(device: string): boolean {
    return this.#parts.connections.hasDevice(this.#speakerFor(device));
  }

  /** @throws QuanweiError NOT_FOUND, BAD_REQUEST, DEVICE_OFFLINE, STORAGE_* */
  async send(device: string, message: Outgoing): Promise<void> {
    const { engine, registry, connections, sessions } = this.#parts;
    if (registry.get(device) === null)
      throw new QuanweiError('NOT_FOUND', `没有设备 ${device} · there is no such device`);
    const { topic, payload, qos, retain } = message;
    if (topic === '' || /[+#]/.test(topic) || malformed(topic)) {
      throw new QuanweiError('BAD_REQUEST', '不能向该主题发送 · not a topic to send to', { where: topic });
    }
    const speaker = this.#speakerFor(device);
    if (!connections.listens(speaker, topic)) {
      const here = connections.hasDevice(speaker);
      const mailboxes = qos === 0 ? [] : sessions.subscriptions.to(topic).map(({ clientId }) => clientId);
      const waiting = mailboxes.filter((client) => deviceOf(client) === speaker);
      if (waiting.length === 0 || waiting.every((client) => sessions.queues.full(client))) {
        throw offline(device, speaker, topic, here, waiting.length > 0);
      }
    }
    await new Promise<void>((resolve, reject) => {
      engine().distribute(
        { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false },
        (error) => {
          if (error) reject(error);
          else resolve();
        },
      );
    });
  }

  /** Sends what may be lost to whoever listens now; a receipt that waits until the device is back confirms nothing. */
  offer(device: string, { topic, payload, qos, retain }: Outgoing): boolean {
    const { engine, connections, log } = this.#parts;
    if (!connections.listens(this.#speakerFor(device), topic)) return false;
    engine().distribute({ cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false }, (error) => {
      if (error) log.debug({ err: error, device, topic }, 'not delivered');
    });
    return true;
  }

  /** The device itself, or the hub that has its login. */
  #speakerFor(device: string): string {
    return this.#parts.registry.get(device)?.hub ?? device;
  }
}

/** The most a client was granted for a topic [MQTT-3.8.4-6]; aedes looks at wildcards only as they stand. */
function grantedFor(client: Client, topic: string): 0 | 1 | 2 {
  let most: 0 | 1 | 2 = 0;
  for (const [filter, subscription] of Object.entries(engineClient(client).subscriptions)) {
    const qos = subscription?.qos === 2 ? 2 : subscription?.qos === 1 ? 1 : 0;
    if (qos > most && lets(filter, topic)) most = qos;
  }
  return most;
}

function offline(device: string, speaker: string, topic: string, connected: boolean, full: boolean): QuanweiError {
  const [zh, en] =
    speaker === device ? [device, device] : [`${device} 的集线器 ${speaker}`, `${speaker}, the hub of ${device},`];
  const [what, said] = connected
    ? ['没有订阅该主题', 'does not listen to this topic']
    : full
      ? ['离线，待发队列已满', 'is away and its queue is full']
      : ['离线', 'is not connected'];
  return new QuanweiError('DEVICE_OFFLINE', `${zh} ${what} · ${en} ${said}`, {
    where: topic,
    hint: connected
      ? '核对设备参数中的主题 · its profile or its parameters name another topic than it subscribes to'
      : '检查设备供电和网络 · is it powered, and on the network?',
  });
}
