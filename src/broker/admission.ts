import { randomUUID } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { AuthenticateError, Client, ConnectPacket } from 'aedes';
import type { DeviceInfo } from '../devices/binding.ts';
import { Allowance } from '../kernel/allowance.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { malformed } from './access.ts';
import { Connection, type Connections } from './connection.ts';
import type { Counters, Refusal } from './counters.ts';
import { Engine, engineClient, type WillPacket } from './engine.ts';
import { addressOf, type FrontDoor } from './front-door.ts';
import type { Claim, Identity } from './identity.ts';
import { LIMITS } from './limits.ts';
import type { BrokerDevice, BrokerJournal, BrokerRegistry } from './ports.ts';
import type { Roles } from './roles.ts';
import type { Sessions } from './sessions.ts';
import type { Wills } from './wills.ts';

/** CONNACK return codes (MQTT 3.1.1 §3.2.2.3). An unknown user and a wrong secret get the same one. */
const RETURN_CODES = {
  unknown: 4,
  'wrong-secret': 4,
  'too-many-attempts': 3,
  disabled: 5,
  'no-login': 5,
  certificate: 5,
  'client-id': 2,
  protocol: 1,
  'too-many-connections': 3,
} as const satisfies Record<Refusal, number>;

/** A device that came or went. */
export interface Presence {
  readonly device: string;
  readonly connected: boolean;
  readonly address: string;
}

export interface AdmissionParts<D extends BrokerDevice & DeviceInfo> {
  readonly engine: () => Engine;
  readonly identity: Identity<D>;
  readonly registry: BrokerRegistry<D>;
  readonly connections: Connections;
  readonly sessions: Sessions;
  readonly wills: Wills;
  readonly door: FrontDoor;
  readonly journal: BrokerJournal;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly log: Log;
  readonly roles: Roles<D>;
  readonly presence: (change: Presence) => void;
}

/** From CONNECT to CONNACK, and what is left to do when the connection ends. */
export class Admission<D extends BrokerDevice & DeviceInfo> {
  readonly #parts: AdmissionParts<D>;
  readonly #clientIds = new WeakMap<Client, string>();
  readonly #audited: Allowance;
  readonly #knocks: Allowance;

  constructor(parts: AdmissionParts<D>) {
    this.#parts = parts;
    this.#audited = new Allowance(parts.clock, 10, 1 / 60);
    this.#knocks = new Allowance(parts.clock, 50, 1 / 10);
  }

  /** CONNECT was read whole. */
  introduced(client: Client, packet: ConnectPacket): void {
    this.#parts.door.introduced(client.conn as TLSSocket);
    this.#clientIds.set(client, packet.clientId);
    // aedes answers these with return code 1 itself.
    const version = packet.protocolVersion ?? 4;
    if (version < 3 || version > 4) this.#parts.counters.refuse('protocol');
  }

  authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: AuthenticateError | null, success: boolean) => void,
  ): void {
    this.#admit(client, username, password).then(
      (refusal) => done(refusal, refusal === null),
      (thrown: unknown) => {
        this.#parts.log.error({ err: thrown }, 'a login could not be judged');
        done(refusalError('too-many-connections'), false);
      },
    );
  }

  async #admit(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<AuthenticateError | null> {
    const will = Engine.takeWill(client);
    const socket = client.conn as TLSSocket;
    const clientId = this.#clientIds.get(client) ?? '';
    const address = addressOf(socket);
    if (clientId.length > LIMITS.clientId || malformed(clientId) || (clientId === '' && !client.clean)) {
      // [MQTT-3.1.3-8]: a client that wants to be remembered must have a name.
      return this.#refuse('client-id', username ?? '', address);
    }
    const certificate = certificateOf(socket);
    const verdict = await this.#parts.identity.verify({
      username,
      password,
      address,
      certificate,
      gone: () => client.closed || socket.destroyed,
    });
    if ('refused' in verdict) return this.#refuse(verdict.refused, verdict.name, address);
    if (client.closed || socket.destroyed) return refusalError('no-login');
    const { device, serial } = verdict;
    const rights = this.#parts.roles.rightsOf(device.id);
    if (rights === null) return this.#refuse('unknown', device.id, address);
    // No device can name another's session, and two doors with the same factory client id do not throw each other out.
    const key = `${device.id}/${clientId === '' ? `~${randomUUID()}` : clientId}`;
    client.id = key;
    await this.#enter(
      new Connection({
        client,
        device: device.id,
        key,
        address,
        secure: certificate !== null || socket.encrypted === true,
        secretHash: device.secretHash,
        serial,
        since: this.#parts.clock.wall(),
        rights,
        rightsVersion: this.#parts.roles.versionOf(device.id),
      }),
      will,
    );
    return null;
  }

  async #enter(connection: Connection, will: WillPacket | null): Promise<void> {
    const { connections, wills, engine, presence } = this.#parts;
    const { client, key, device, address } = connection;
    for (const oldest of connections.ofDevice(device).slice(0, 1 - LIMITS.connectionsPerDevice)) {
      if (oldest.key !== key) oldest.client.close();
    }
    const first = !connections.hasDevice(device);
    Engine.letEveryMessageThrough(client, engine().id);
    connections.add(connection);
    client.conn.once('close', () => this.#left(connection));
    if (!client.clean) await this.#remember(key, device);
    wills.returned(key);
    connection.will = this.#permitted(connection, will);
    if (first) presence({ device, connected: true, address });
  }

  async #remember(key: string, device: string): Promise<void> {
    const { sessions, connections } = this.#parts;
    sessions.touch(key);
    const away = sessions.of(device).filter((other) => other !== key && connections.at(other) === undefined);
    const spare = sessions.of(device).length - LIMITS.sessionsPerDevice;
    for (const oldest of away.slice(0, Math.max(0, spare))) await sessions.forget(oldest);
  }

  /** CONNACK is written. aedes has by now done away with the will of an earlier connection. */
  ready(client: Client): void {
    const { connections, wills, log } = this.#parts;
    const connection = connections.of(client);
    if (connection === undefined || connection.will === null) return;
    wills.entrusted(connection.key, connection.will).catch((thrown: unknown) => {
      log.warn({ err: thrown, client: connection.key }, 'a last will is not kept');
    });
  }

  #left(connection: Connection): void {
    const { connections, sessions, wills, presence, log } = this.#parts;
    const { client, key, device, address } = connection;
    const last = connections.remove(connection);
    if (connection.superseded) return;
    if (!client.clean) sessions.touch(key);
    wills.disconnected(key, engineClient(client)._disconnected).catch((thrown: unknown) => {
      log.warn({ err: thrown, client: key }, 'a last will is lost');
    });
    if (last) presence({ device, connected: false, address });
  }

  /** A will outside the device's topics is left out rather than keeping the device out. */
  #permitted(connection: Connection, will: WillPacket | null): WillPacket | null {
    if (will === null) return null;
    const wild = /[+#]/.test(will.topic) || malformed(will.topic) || will.topic === '';
    if (!wild && connection.rights.mayPublish(will.topic)) return will;
    const { counters, log } = this.#parts;
    counters.drop('will');
    log.warn({ device: connection.device, topic: will.topic.slice(0, LIMITS.topic) }, 'a last will outside its topics');
    return null;
  }

  #refuse(why: Refusal, name: string, address: string): AuthenticateError {
    const { counters, registry, journal, log } = this.#parts;
    counters.refuse(why);
    const named = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
    if (why === 'unknown' && named && this.#knocks.take(address)) {
      // After the answer, which must not take longer for an unknown name than for a wrong secret.
      setImmediate(() => registry.candidate({ via: null, key: name, hint: `MQTT ${address}` }));
    }
    if (this.#audited.take(address)) {
      log.warn({ user: name.slice(0, 64), address, why }, 'MQTT login refused');
      const body = { transport: 'mqtt', user: name.slice(0, 64), address, why };
      const subject = named && registry.get(name) !== null ? name : null;
      journal.append([{ kind: 'session.refused', actor: 'system', subject, body }]).catch((thrown: unknown) => {
        log.debug({ err: thrown }, 'refused login not recorded');
      });
    }
    return refusalError(why);
  }
}

function refusalError(why: Refusal): AuthenticateError {
  return Object.assign(new Error(`refused: ${why}`), { returnCode: RETURN_CODES[why] as number });
}

/** The certificate shown on a TLS connection. */
function certificateOf(socket: TLSSocket): Claim['certificate'] {
  if (socket.encrypted !== true) return null;
  const shown = socket.getPeerCertificate();
  if (Object.keys(shown).length === 0) return null;
  const name = shown.subject?.CN;
  return { name: typeof name === 'string' ? name : '', serial: shown.serialNumber, trusted: socket.authorized };
}
