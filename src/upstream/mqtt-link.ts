import { Socket } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { UpstreamConfig } from '../config/schema.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { goodbye, oneConnection, pem } from '../kernel/mqtt-client.ts';
import type { Answered, Connect, Link, LinkEvents, LinkRequest } from './link.ts';
import type { Site } from './topics.ts';

/** How long the broker keeps what the centre says while we are away (MQTT 5), seconds. */
const SESSION_S = 7 * 86_400;
/** After a failed write, what the other side still had to say must arrive within this. */
const LAST_WORDS_MS = 1_000;
/** PUBACK reason code: no matching subscribers [MQTT5 3.4.2.1]. */
const NOBODY = 0x10;
/** SUBACK return codes from here on mean no [MQTT-3.9.3-2]. */
const REFUSED = 0x80;

/** Links over MQTT 3.1.1 or 5; TLS and WebSocket by the scheme of `config.url`. */
export function mqttConnect(config: UpstreamConfig, site: Site): Connect {
  return (request, events) => new MqttLink(mqtt.connect(config.url, optionsOf(config, site, request)), events);
}

function optionsOf(config: UpstreamConfig, site: Site, { as, will }: LinkRequest): IClientOptions {
  const five = config.protocol === '5';
  const name = config.clientId ?? `quanwei-${site.street}-${site.id}`;
  return {
    ...oneConnection(),
    clientId: as === 'main' ? name : `${name}-${as}`,
    protocolVersion: five ? 5 : 4,
    // The broker keeps orders and receipts for us while we are away.
    clean: as === 'side',
    ...(five && as === 'main' ? { properties: { sessionExpiryInterval: SESSION_S } } : {}),
    ...(will === null
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1 as const, retain: true } }),
    ...(config.username === undefined ? {} : { username: config.username }),
    ...(config.password === undefined ? {} : { password: config.password }),
    ...(config.ca === undefined ? {} : { ca: pem(config.ca) }),
    ...(config.cert === undefined ? {} : { cert: pem(config.cert) }),
    ...(config.key === undefined ? {} : { key: pem(config.key) }),
  };
}

class MqttLink implements Link {
  readonly #client: MqttClient;
  readonly #events: LinkEvents;
  readonly #five: boolean;
  #error: QuanweiError | null = null;
  #over = false;
  #most = Number.POSITIVE_INFINITY;
  #unconfirmed = 0;
  /** Message ids whose confirmation said that nobody reads the topic. */
  readonly #unheard = new Set<number>();

  constructor(client: MqttClient, events: LinkEvents) {
    this.#client = client;
    this.#events = events;
    this.#five = client.options.protocolVersion === 5;
    client.on('connect', (packet) => {
      this.#most = packet.properties?.receiveMaximum ?? Number.POSITIVE_INFINITY;
      prepareSocket(client.stream);
      events.up(packet.sessionPresent);
    });
    client.on('error', (thrown) => {
      this.#error ??= asError(thrown);
    });
    client.on('disconnect', ({ reasonCode }) => {
      this.#error ??= asError(new Error(`the broker ended the connection with code ${reasonCode ?? 0}`));
    });
    client.on('close', () => this.#down());
    if (this.#five) {
      client.on('packetreceive', (packet) => {
        if (packet.cmd !== 'puback' || packet.reasonCode !== NOBODY) return;
        if (packet.messageId !== undefined) this.#unheard.add(packet.messageId);
      });
    }
    // PUBACK goes out when `message` has settled: an order is not taken from the broker before it is on disk.
    client.handleMessage = ({ topic, payload, retain }, taken) => {
      const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
      events.message({ topic, payload: bytes, retain }).then(
        () => taken(),
        () => taken(),
      );
    };
  }

  room(): number {
    return this.#most - this.#unconfirmed;
  }

  publish(topic: string, payload: string, retain: boolean, done: Answered): void {
    this.#unconfirmed += 1;
    const properties = this.#five ? { properties: { contentType: 'application/cloudevents+json' } } : {};
    this.#client.publish(topic, payload, { qos: 1, retain, ...properties }, (thrown, packet) => {
      this.#unconfirmed -= 1;
      const heard = packet?.messageId === undefined || !this.#unheard.delete(packet.messageId);
      done(thrown === undefined || thrown === null ? null : asError(thrown), heard);
    });
  }

  subscribe(topics: readonly string[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#client.subscribe([...topics], { qos: 1 }, (thrown, _subscriptions, suback) => {
        const granted = suback?.granted;
        if (granted !== undefined) resolve(topics.filter((_, i) => Number(granted[i]) >= REFUSED));
        else if (thrown === null) resolve([]);
        else reject(asError(thrown));
      });
    });
  }

  end(): Promise<void> {
    return this.#over ? Promise.resolve() : goodbye(this.#client);
  }

  break(error: QuanweiError): void {
    this.#error ??= error;
    this.#client.stream.destroy();
  }

  #down(): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.down(this.#error);
  }
}

/**
 * A broker that stops under load resets the connection. Its last confirmations then still lie unread in our receive
 * buffer, and the first write to fail would make Node close the socket over them: messages that arrived would be sent
 * twice. So a failed write is not the end of the connection; the end of reading is.
 */
function prepareSocket(stream: unknown): void {
  if (!(stream instanceof Socket)) return;
  stream.setNoDelay(true);
  const patient = (after: (error?: Error | null) => void) => (error?: Error | null) => {
    if (error) setTimeout(() => stream.destroy(error), LAST_WORDS_MS).unref();
    after();
  };
  const { _write, _writev } = stream;
  stream._write = (chunk, encoding, after) => _write.call(stream, chunk, encoding, patient(after));
  if (_writev !== undefined) stream._writev = (chunks, after) => _writev.call(stream, chunks, patient(after));
}

function asError(thrown: unknown): QuanweiError {
  if (thrown instanceof QuanweiError) return thrown;
  const code = (thrown as { code?: unknown }).code;
  const refused = code === 4 || code === 5 || code === 134 || code === 135;
  return new QuanweiError('UPSTREAM_UNAVAILABLE', messageOf(thrown) || String(code), {
    hint: refused ? 'check upstream.username and upstream.password, and the rights the centre gave them' : '',
    cause: thrown,
  });
}
