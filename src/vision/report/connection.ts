import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { messageOf } from '../../kernel/errors.ts';
import { goodbye, oneConnection, pem } from '../../kernel/mqtt-client.ts';

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
    return this.#over ? Promise.resolve() : goodbye(this.#client);
  }
}

function optionsOf({ id, secret, ca }: BrokerAddress, will: Will): IClientOptions {
  return {
    ...oneConnection(),
    clientId: id,
    username: id,
    password: secret,
    protocolVersion: 4,
    clean: true,
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
    ...(ca === undefined ? {} : { ca: pem(ca) }),
  };
}
