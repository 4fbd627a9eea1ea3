import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { onTestFinished } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { freePort } from '../support/ports.ts';

export interface CentreOptions {
  /** Further lines of its configuration, in place of `allow_anonymous true`. */
  readonly access?: readonly string[];
  /** Whether it keeps sessions and queues on disk over an orderly stop; default yes. */
  readonly persistence?: boolean;
  /** Where it keeps its things, given by a caller who ends it too; without, it ends with the test. */
  readonly dir?: string;
}

/** A real Mosquitto, played against as the broker of the command centre. */
export class Centre {
  readonly port: number;
  readonly dir: string;
  readonly #conf: string;
  #child: ChildProcess | null = null;

  private constructor(port: number, dir: string, conf: string) {
    this.port = port;
    this.dir = dir;
    this.#conf = conf;
  }

  static async start(options: CentreOptions = {}): Promise<Centre> {
    const centre = await Centre.prepare(options);
    await centre.start();
    return centre;
  }

  static async prepare(options: CentreOptions = {}): Promise<Centre> {
    const { access = ['allow_anonymous true'], persistence = true } = options;
    const dir = options.dir ?? dataDir();
    const port = await freePort();
    const store = join(dir, 'store');
    mkdirSync(store);
    const conf = join(dir, 'mosquitto.conf');
    const lines = [
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      `listener ${port} 127.0.0.1`,
      ...access,
      `persistence ${persistence}`,
      `persistence_location ${store}/`,
      'max_queued_messages 0',
      'set_tcp_nodelay true',
      'log_dest none',
    ];
    writeFileSync(conf, `${lines.join('\n')}\n`);
    const centre = new Centre(port, dir, conf);
    if (options.dir === undefined) onTestFinished(() => centre.kill());
    return centre;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const child = spawn('mosquitto', ['-c', this.#conf], { stdio: 'ignore' });
    this.#child = child;
    for (let tries = 0; !(await listening(this.port)); tries += 1) {
      if (child.exitCode !== null || tries > 500) throw new Error(`mosquitto ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** In order: SIGTERM, it stores its sessions. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** As a power cut does it. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

function listening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export interface Arrival {
  readonly topic: string;
  readonly event: Record<string, unknown> & { id: string; type: string; data: Record<string, unknown> };
  /** The broker said that it had sent this before: a duplicate of its making, not ours. */
  readonly dup: boolean;
  readonly at: number;
}

/** The centre's reader: a persistent session of its own, back as soon as the broker is. */
export class Reader {
  readonly arrivals: Arrival[] = [];
  readonly #client: MqttClient;
  onArrival: (arrival: Arrival) => void = () => undefined;

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on('message', (topic, payload, packet) => {
      if (payload.length === 0) return;
      const arrival = { topic, event: JSON.parse(payload.toString('utf8')), dup: packet.dup, at: performance.now() };
      this.arrivals.push(arrival);
      this.onArrival(arrival);
    });
  }

  static async connect(port: number, filter = 'quanwei/v1/#', login: object = {}): Promise<Reader> {
    const client = mqtt.connect({
      host: '127.0.0.1',
      port,
      clientId: `reader-${port}-${Math.random()}`,
      clean: false,
      reconnectPeriod: 20,
      ...login,
    });
    client.on('error', () => undefined);
    const reader = new Reader(client);
    onTestFinished(() => reader.end());
    await new Promise<void>((resolve) => client.once('connect', () => resolve()));
    await client.subscribeAsync(filter, { qos: 1 });
    return reader;
  }

  /** Arrivals of events that are journal entries, in order. */
  events(): Arrival[] {
    return this.arrivals.filter(({ topic }) => topic.includes('/event/'));
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  publish(topic: string, payload: string, retain = false): Promise<unknown> {
    return this.#client.publishAsync(topic, payload, { qos: 1, retain });
  }

  async end(): Promise<void> {
    await this.#client.endAsync(true);
  }
}

/** Waits until `holds`, in real time. */
export async function until(holds: () => boolean, what: string, ms = 15_000): Promise<void> {
  const begun = performance.now();
  while (!holds()) {
    if (performance.now() - begun > ms) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
