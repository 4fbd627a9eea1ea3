import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { generate, parser } from 'mqtt-packet';

export interface LoadClientOptions {
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly clientId: string;
}

export interface Flags {
  readonly dup?: boolean;
  readonly retain?: boolean;
}

/**
 * A bare QoS 1 publisher: a socket, a packet parser and a window of unanswered messages, so that a measurement is of
 * the broker and not of a client library.
 */
export class LoadClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, { token: string; at: number; done: (() => void) | null }>();
  #nextId = 1;
  /** Called with the token of every message the broker has acknowledged and the ms it took. */
  onAck: (token: string, ms: number) => void = () => undefined;
  acked = 0;
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async connect(options: LoadClientOptions): Promise<LoadClient> {
    const socket = connect(options.port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    const client = new LoadClient(socket);
    const parse = parser();
    const ready = new Promise<void>((resolve, reject) => {
      parse.on('packet', (packet) => {
        if (packet.cmd === 'connack') {
          if (packet.returnCode === 0) resolve();
          else reject(new Error(`connection refused with ${packet.returnCode}`));
        } else if (packet.cmd === 'puback' && packet.messageId !== undefined) client.#onPuback(packet.messageId);
      });
      socket.once('close', () => {
        client.closed = true;
        reject(new Error('connection closed'));
      });
    });
    socket.on('error', () => {
      client.closed = true;
    });
    socket.on('data', (chunk) => parse.parse(chunk));
    socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId: options.clientId,
        keepalive: 0,
        ...(options.username === undefined ? {} : { username: options.username }),
        ...(options.password === undefined ? {} : { password: Buffer.from(options.password) }),
      }),
    );
    await ready;
    return client;
  }

  get inflight(): number {
    return this.#waiting.size;
  }

  /** Writes a QoS 1 PUBLISH now; `token` comes back in `onAck`. */
  publish(topic: string, payload: string, token: string): void {
    this.#send(topic, payload, token, {}, null);
  }

  /** Publishes and resolves with the PUBACK; rejects when the connection closes instead. */
  async published(topic: string, payload: string | Buffer, flags: Flags = {}): Promise<void> {
    const closed = new AbortController();
    try {
      await Promise.race([
        new Promise<void>((resolve) => this.#send(topic, payload, '', flags, resolve)),
        once(this.#socket, 'close', { signal: closed.signal }).then(() => {
          throw new Error('connection closed');
        }),
      ]);
    } finally {
      closed.abort();
    }
  }

  /** Keeps `window` messages under way until `next` gives `null` or the connection closes. */
  async flood(window: number, next: () => { topic: string; payload: string; token: string } | null): Promise<void> {
    let ended = false;
    const fill = () => {
      this.#socket.cork();
      while (!ended && !this.closed && this.#waiting.size < window) {
        const message = next();
        if (message === null) ended = true;
        else this.publish(message.topic, message.payload, message.token);
      }
      this.#socket.uncork();
    };
    const before = this.onAck;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      this.onAck = (token, ms) => {
        before(token, ms);
        if (ended && this.#waiting.size === 0) resolve();
        else if (this.#waiting.size <= window / 2) fill();
      };
      fill();
      if (ended && this.#waiting.size === 0) resolve();
    });
    this.onAck = before;
  }

  end(): void {
    this.#socket.destroy();
  }

  #send(topic: string, payload: string | Buffer, token: string, flags: Flags, done: (() => void) | null): void {
    const messageId = this.#nextId;
    this.#nextId = messageId === 65_535 ? 1 : messageId + 1;
    this.#waiting.set(messageId, { token, at: performance.now(), done });
    this.#socket.write(
      generate({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, ...flags, messageId }),
    );
  }

  #onPuback(messageId: number): void {
    const waiting = this.#waiting.get(messageId);
    if (waiting === undefined) return;
    this.#waiting.delete(messageId);
    this.acked += 1;
    this.onAck(waiting.token, performance.now() - waiting.at);
    waiting.done?.();
  }
}
