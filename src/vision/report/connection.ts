import { readFileSync } from 'node:fs';
import mqtt, { type IClientOptions, type MqttClient, type Packet, Store } from 'mqtt';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';

const CONNECT_MS = 10_000;
/** The broker gives us up, and says our will, after one and a half of these; seconds. */
const KEEPALIVE_S = 15;
const GOODBYE_MS = 2_000;

export interface BrokerAddress {
  /** `mqtt://HOST:PORT` or `mqtts://HOST:PORT` */
  readonly url: string;
  /** Its device id: user name and client id. */
  readonly id: string;
  readonly secret: string;
  /** PEM file of the CA that signed the gateway’s certificate */
  readonly ca?: string;
}

export interface ConnectionEvents {
  up(): void;
  /** It is over; called exactly once. @param why for the log */
  down(why: string): void;
  message(topic: string, payload: Buffer): void;
}

export interface Will {
  readonly topic: string;
  readonly payload: string;
}

/** What waits is kept by the outbox; the client sends nothing again by itself. */
class NothingKept extends Store {
  override put(_packet: Packet, stored: (error?: Error) => void): this {
    stored();
    return this;
  }

  override del(packet: Pick<Packet, 'messageId'>, deleted: (error?: Error, packet?: Packet) => void): this {
    deleted(undefined, packet as Packet);
    return this;
  }
}

/** One connection to the gateway’s broker, with credentials of its own: made, used, over. */
export class Connection {
  readonly #client: MqttClient;
  #why = 'the connection was closed';
  #over = false;

  /** @throws QuanweiError UPSTREAM_UNAVAILABLE a certificate file cannot be read */
  constructor(address: BrokerAddress, will: Will, subscribe: string, events: ConnectionEvents) {
    const client = mqtt.connect(address.url, optionsOf(address, will));
    this.#client = client;
    client.on('connect', () => {
      client.subscribe(subscribe, { qos: 1 }, (thrown) => {
        if (thrown !== null) this.break(`no commands: ${messageOf(thrown)}`);
      });
      events.up();
    });
    client.on('message', (topic, payload) => events.message(topic, payload));
    client.on('error', (thrown) => {
      this.#why = messageOf(thrown) || String((thrown as { code?: unknown }).code);
    });
    client.on('close', () => {
      if (this.#over) return;
      this.#over = true;
      events.down(this.#why);
    });
  }

  /** QoS 1; resolves with whether the broker has confirmed it. */
  publish(topic: string, payload: string, retain: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#over || !this.#client.connected) resolve(false);
      else {
        this.#client.publish(topic, payload, { qos: 1, retain }, (thrown) => {
          resolve(thrown === undefined || thrown === null);
        });
      }
    });
  }

  break(why: string): void {
    this.#why = why;
    this.#client.stream.destroy();
  }

  /** Says goodbye: no will is sent. */
  end(): Promise<void> {
    if (this.#over || !this.#client.connected) {
      this.#client.stream.destroy();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const patience = setTimeout(() => {
        this.#client.stream.destroy();
        resolve();
      }, GOODBYE_MS);
      this.#client.once('close', () => {
        clearTimeout(patience);
        resolve();
      });
      this.#client.end();
    });
  }
}

function optionsOf({ id, secret, ca }: BrokerAddress, will: Will): IClientOptions {
  return {
    clientId: id,
    username: id,
    password: secret,
    protocolVersion: 4,
    clean: true,
    outgoingStore: new NothingKept(),
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    connectTimeout: CONNECT_MS,
    keepalive: KEEPALIVE_S,
    reschedulePings: false,
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
    // Read for each attempt: a renewed certificate is taken up without a restart.
    ...(ca === undefined ? {} : { ca: pem(ca) }),
  };
}

function pem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new QuanweiError('UPSTREAM_UNAVAILABLE', `cannot read a certificate: ${messageOf(cause)}`, {
      where: file,
      cause,
    });
  }
}
