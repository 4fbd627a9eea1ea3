import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { Aedes, type PublishPacket } from 'aedes';
import { onTestFinished } from 'vitest';
import { freePort } from '../../support/ports.ts';

export interface Said {
  readonly topic: string;
  readonly retain: boolean;
  readonly body: Record<string, unknown>;
}

/** A real MQTT broker at an address of its own that can go away, come back, and keep its confirmations to itself. */
export class TestBroker {
  readonly port: number;
  readonly said: Said[] = [];
  readonly logins: { readonly id: string; readonly password: string }[] = [];
  /** `false`: takes messages in and confirms none. */
  confirms = true;
  #aedes: Aedes | null = null;
  #server: Server | null = null;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<TestBroker> {
    const broker = new TestBroker(await freePort());
    await broker.up();
    onTestFinished(() => broker.down());
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async up(): Promise<void> {
    const aedes = await Aedes.createBroker({
      authenticate: (client, username, password, done) => {
        this.logins.push({ id: `${client.id}/${username}`, password: String(password) });
        done(null, true);
      },
      authorizePublish: (client, packet, done) => {
        if (client !== null) this.#take(packet);
        if (this.confirms) done(null);
      },
    });
    const server = createServer(aedes.handle);
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.#aedes = aedes;
    this.#server = server;
  }

  async down(): Promise<void> {
    const [aedes, server] = [this.#aedes, this.#server];
    this.#aedes = null;
    this.#server = null;
    if (aedes === null || server === null) return;
    const closed = once(server, 'close');
    server.close();
    await new Promise<void>((done) => aedes.close(() => done()));
    await closed;
  }

  order(topic: string, payload: string): void {
    this.#aedes?.publish(
      { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false },
      () => undefined,
    );
  }

  events(): Record<string, unknown>[] {
    return this.said.filter(({ topic }) => topic.endsWith('/event')).map(({ body }) => body);
  }

  #take({ topic, payload, retain }: PublishPacket): void {
    this.said.push({ topic, retain, body: JSON.parse(payload.toString()) as Record<string, unknown> });
  }
}
