import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Client } from 'aedes';
import type { GatewayConfig } from '../config/schema.ts';
import type { DeviceInfo } from '../devices/binding.ts';
import type { Catalogue } from '../devices/catalogue.ts';
import type { Outgoing } from '../devices/event.ts';
import type { DeviceLink } from '../devices/link.ts';
import { checkSecret, hashSecret } from '../devices/secret.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { Admission, type Presence } from './admission.ts';
import { Connections } from './connection.ts';
import { Counters, type Drop, type Refusal } from './counters.ts';
import { Delivery } from './delivery.ts';
import { Engine } from './engine.ts';
import { FrontDoor } from './front-door.ts';
import { guardPackets, LargePackets } from './guard.ts';
import { Identity } from './identity.ts';
import { LIMITS } from './limits.ts';
import { type Listener, listen } from './listener.ts';
import type { BrokerCa, BrokerDevice, BrokerIntake, BrokerJournal, BrokerRegistry } from './ports.ts';
import { Publishing } from './publishing.ts';
import { Roles } from './roles.ts';
import { Router } from './router.ts';
import { serverTls } from './server-tls.ts';
import type { Sessions } from './sessions.ts';
import { Sweep } from './sweep.ts';
import { BrokerSessions, Wills } from './wills.ts';

export type { Presence } from './admission.ts';

export interface BrokerParts<D extends BrokerDevice & DeviceInfo> {
  readonly config: GatewayConfig['mqtt'];
  readonly intake: BrokerIntake;
  readonly registry: BrokerRegistry<D>;
  readonly catalogue: Catalogue;
  readonly journal: BrokerJournal;
  readonly clock: Clock;
  readonly log: Log;
  /** Only `mqtts://` needs one. */
  readonly ca: BrokerCa | null;
  /** Told when a device's first connection comes and its last one goes. */
  readonly presence?: (change: Presence) => void;
  /** ms between a broken connection and its will; 5 s unless a test says otherwise. */
  readonly willDelay?: number;
}

export interface BrokerStats {
  /** Open TCP connections, logged in or not. */
  readonly sockets: number;
  /** Clients logged in, and the devices they are. */
  readonly clients: number;
  readonly devices: number;
  /** Since the start. */
  readonly connections: number;
  /** Messages from clients, by QoS; and sent to clients. */
  readonly received: readonly [number, number, number];
  readonly sent: number;
  readonly refused: Readonly<Record<Refusal, number>>;
  readonly dropped: Readonly<Record<Drop, number>>;
  /** Messages kept for clients that have not acknowledged them. */
  readonly queued: number;
  readonly retained: number;
  readonly subscriptions: number;
}

export interface ConnectionInfo {
  readonly device: string;
  readonly clientId: string;
  readonly address: string;
  readonly secure: boolean;
  /** wall clock, ms since the epoch */
  readonly since: number;
}

/**
 * The MQTT broker devices connect to. A message is acknowledged only after `intake.receive` has resolved; a client may
 * use its own device's topics and nothing besides; everything a client can make grow has a bound (docs/broker.md).
 */
export class Broker implements DeviceLink {
  readonly #engine: Engine;
  readonly #sessions: Sessions;
  readonly #connections: Connections;
  readonly #counters: Counters;
  readonly #delivery: DeviceLink;
  readonly #door: FrontDoor;
  readonly #wills: Wills;
  readonly #sweep: Pick<Sweep<BrokerDevice & DeviceInfo>, 'run' | 'look'>;
  readonly #listeners: Listener[] = [];
  readonly #ends: Cancel[] = [];
  #closing: Promise<void> | null = null;

  private constructor(of: {
    engine: Engine;
    sessions: Sessions;
    connections: Connections;
    counters: Counters;
    delivery: DeviceLink;
    door: FrontDoor;
    wills: Wills;
    sweep: Pick<Sweep<BrokerDevice & DeviceInfo>, 'run' | 'look'>;
  }) {
    this.#engine = of.engine;
    this.#sessions = of.sessions;
    this.#connections = of.connections;
    this.#counters = of.counters;
    this.#delivery = of.delivery;
    this.#door = of.door;
    this.#wills = of.wills;
    this.#sweep = of.sweep;
  }

  /**
   * Listens on every `mqtt.listen`.
   * @throws QuanweiError PORT_TAKEN, BAD_CONFIG
   */
  static async start<D extends BrokerDevice & DeviceInfo>(parts: BrokerParts<D>): Promise<Broker> {
    const { config, intake, registry, catalogue, journal, clock, log, ca } = parts;
    const counters = new Counters();
    const refused = new WeakSet<object>();
    const dropped = (why: Drop) => counters.drop(why);
    const sessions = new BrokerSessions({ store: journal, clock, log, maxQueued: config.maxQueued, dropped, refused });
    const connections = new Connections();
    const roles = new Roles({ registry, catalogue, clock, log, maxLevels: config.maxTopicLevels });
    const engine = (): Engine => server;
    const identity = new Identity({
      registry,
      ca,
      clock,
      loginAttempts: config.loginAttempts,
      checkSecret,
      nobodysHash: await hashSecret(randomBytes(32).toString('base64url'), 'device'),
    });
    const door = new FrontDoor(
      counters,
      config.maxConnections,
      config.maxConnectionsPerAddress ?? config.maxConnections,
    );
    const wills = new Wills({
      sessions,
      intake,
      clock,
      log,
      delay: parts.willDelay ?? LIMITS.willDelay,
      allowed: (device, topic) => roles.rightsOf(device)?.mayPublish(topic) ?? false,
      distribute: (packet) => {
        if (server.wanted(packet)) server.distribute(packet, () => undefined);
      },
    });
    const shared = { engine, registry, connections, sessions, journal, counters, clock, log };
    const refreshRights = roles.refresh.bind(roles);
    const admission = new Admission({
      ...shared,
      identity,
      wills,
      door,
      roles,
      presence: parts.presence ?? (() => undefined),
    });
    const publishing = new Publishing({ ...shared, intake, catalogue, maxInflight: config.maxInflight, refreshRights });
    const delivery = new Delivery({
      ...shared,
      refused,
      refreshRights,
      maxUnread: Math.max(LIMITS.unread, config.maxPacket),
    });
    const server: Engine = new Engine(
      {
        connectTimeout: LIMITS.connectTimeout,
        drainTimeout: LIMITS.drain,
        // Only aedes' own $SYS notices and its care for other brokers' wills hang on it; we have neither.
        heartbeatInterval: 86_400_000,
        maxClientsIdLength: LIMITS.clientId,
        maxInflightInbound: Math.max(config.maxInflight, 16),
        maxTopicLevels: 100,
        preConnect: (client, packet, done) => {
          admission.introduced(client, packet);
          done(null, true);
        },
        authenticate: (client, username, password, done) => admission.authenticate(client, username, password, done),
        authorizePublish: (client, packet, done) => {
          const connection = client === null ? undefined : connections.of(client);
          if (connection === undefined) done(new Error('not logged in'));
          else publishing.accept(connection, packet, done);
        },
        authorizeSubscribe: (client, subscription, done) => delivery.subscribe(client, subscription, done),
        authorizeForward: (client, packet) => delivery.forward(client, packet),
      },
      new Router(),
      sessions,
    );
    server.on('clientReady', (client) => admission.ready(client));
    const sweep = new Sweep({ registry, identity, connections, sessions, roles, counters, log });
    const broker = new Broker({ engine: server, sessions, connections, counters, delivery, door, wills, sweep });
    await broker.#open(parts);
    return broker;
  }

  /** Where it listens, with the ports really used. */
  get addresses(): { url: string }[] {
    return this.#listeners.map(({ url }) => ({ url }));
  }

  async send(device: string, message: Outgoing): Promise<void> {
    await this.#delivery.send(device, message);
  }

  offer(device: string, message: Outgoing): boolean {
    return this.#delivery.offer(device, message);
  }

  connected(device: string): boolean {
    return this.#delivery.connected(device);
  }

  connections(): ConnectionInfo[] {
    return [...this.#connections.all()].map(({ device, key, address, secure, since }) => ({
      device,
      clientId: key.slice(device.length + 1),
      address,
      secure,
      since,
    }));
  }

  stats(): BrokerStats {
    const { connections, received, sent, refused, dropped } = this.#counters;
    return {
      sockets: this.#door.size,
      clients: this.#connections.size,
      devices: this.#connections.deviceCount,
      connections,
      received: [...received],
      sent,
      refused: { ...refused },
      dropped: { ...dropped },
      queued: this.#sessions.queues.length,
      retained: this.#sessions.retained.size,
      subscriptions: this.#sessions.subscriptions.size,
    };
  }

  /**
   * Looks now, instead of within 10 s, whether everybody who is connected still may be; for a caller that has just
   * removed or disabled a device, changed its secret or revoked its certificate.
   */
  async recheck(): Promise<void> {
    await this.#sweep.run();
  }

  /** Closes every connection; wills are kept for the next start, where the devices will be back. */
  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async #shut(): Promise<void> {
    for (const end of this.#ends) end.cancel();
    this.#wills.close();
    const listeners = this.#listeners.map((listener) => listener.close());
    await new Promise<void>((resolve) => {
      this.#engine.close(() => resolve());
    });
    this.#door.closeAll();
    await Promise.all(listeners);
    await this.#sessions.destroy();
  }

  async #open<D extends BrokerDevice & DeviceInfo>({
    config,
    registry,
    clock,
    log,
    ca,
  }: BrokerParts<D>): Promise<void> {
    const engine = this.#engine;
    const large = new LargePackets();
    (engine as EventEmitter).on('error', (error: unknown) => log.error({ err: error }, 'the MQTT engine failed'));
    engine.on('connectionError', (client, error) => this.#closed(client, error));
    engine.on('clientError', (client, error) => this.#closed(client, error));
    engine.on('unsubscribe', (topics, client) => {
      for (const topic of topics) this.#connections.of(client)?.filters.delete(topic);
    });
    // Before anything runs that would have to be ended when a certificate cannot be read.
    const tls = await serverTls(config, ca);
    await engine.listen();
    this.#wills.resume();
    const ready = (socket: Socket) => {
      const client = engine.handle(socket);
      const limit = () => (client.connected || client.connecting ? config.maxPacket : LIMITS.connectPacket);
      guardPackets(client, limit, large, () => this.#counters.drop('oversize'));
    };
    try {
      for (const one of config.listen) {
        const secured = one.url.startsWith('mqtts:') ? tls.identity : null;
        const connected = (socket: Socket) => this.#door.admit(socket);
        this.#listeners.push(await listen(one, secured, { connected, ready }));
      }
    } catch (thrown) {
      await this.close();
      throw thrown;
    }
    const sweeping = clock.every(LIMITS.sweep, () => {
      Promise.all([this.#sweep.run(), tls.renew(this.#listeners)]).catch((thrown: unknown) => {
        log.warn({ err: thrown }, 'connections could not be looked at');
      });
    });
    this.#ends.push(
      sweeping,
      registry.onChange((id) => this.#sweep.look(id)),
    );
    log.info({ addresses: this.addresses.map(({ url }) => url) }, 'MQTT broker listens');
  }

  #closed(_client: Client, error: Error & { code?: unknown; errorCode?: unknown }): void {
    // Networks break; logins that were refused, messages that were not stored and oversize packets are counted already.
    if (error.code !== undefined || error.errorCode !== undefined || COUNTED.has(error.message)) return;
    this.#counters.drop(ENDINGS[error.message] ?? 'malformed');
  }
}

/** How aedes calls what we count under our own names; everything else is a client that does not speak MQTT. */
const ENDINGS: Readonly<Record<string, Drop>> = {
  'drain timeout': 'not-reading',
  'connect did not arrive in time': 'half-open',
};
const COUNTED = new Set([
  'connection closed',
  'keep alive timeout',
  'not stored',
  'packet too large',
  'too many large packets at once',
  'a message outside its topics',
  'topic is not UTF-8 text',
  'topic filter is not UTF-8 text',
  'not logged in',
]);
