import { readFileSync } from 'node:fs';
import { type IClientOptions, type MqttClient, type Packet, Store } from 'mqtt';
import { messageOf, QuanweiError } from './errors.ts';

const CONNECT_MS = 10_000;
/** Half of this after the line went dead without a word, it is noticed; seconds. */
const KEEPALIVE_S = 15;
const GOODBYE_MS = 2_000;

/** What waits is kept by whoever connects; the client keeps nothing of its own, so it has nothing of its own to send again. */
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

/** Settings of a client that is one connection: what is sent again, and when, is decided outside it. */
export const oneConnection = (): IClientOptions => ({
  outgoingStore: new NothingKept(),
  reconnectPeriod: 0,
  resubscribe: false,
  queueQoSZero: false,
  connectTimeout: CONNECT_MS,
  keepalive: KEEPALIVE_S,
  // Publishing must not put off the ping: into a dead line one can publish for a long time.
  reschedulePings: false,
});

/** Says goodbye, so that no will is sent; a broker that does not answer in time is left. */
export function goodbye(client: MqttClient): Promise<void> {
  if (!client.connected) {
    client.stream.destroy();
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const patience = setTimeout(() => {
      client.stream.destroy();
      resolve();
    }, GOODBYE_MS);
    client.once('close', () => {
      clearTimeout(patience);
      resolve();
    });
    client.end();
  });
}

/** Read for each attempt: a renewed certificate is taken up without a restart. @throws QuanweiError UPSTREAM_UNAVAILABLE */
export function pem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new QuanweiError('UPSTREAM_UNAVAILABLE', `cannot read a certificate: ${messageOf(cause)}`, {
      where: file,
      cause,
    });
  }
}
