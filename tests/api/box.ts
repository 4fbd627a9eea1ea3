import { request as httpRequest } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Alarm } from '../../src/alarms/alarm.ts';
import { Board } from '../../src/alarms/board.ts';
import { Accounts } from '../../src/api/accounts.ts';
import { CameraSettings } from '../../src/api/camera-settings.ts';
import { FirstRun } from '../../src/api/first-run.ts';
import type { ApiParts } from '../../src/api/ports.ts';
import type { Role } from '../../src/api/roles.ts';
import { type ApiServer, createServer } from '../../src/api/server.ts';
import { Settings } from '../../src/api/settings.ts';
import { GatewayConfig } from '../../src/config/schema.ts';
import type { Category, DeviceEvent } from '../../src/devices/event.ts';
import type { Registry } from '../../src/devices/registry.ts';
import { Journal } from '../../src/journal/journal.ts';
import { type Clock, SystemClock } from '../../src/kernel/clock.ts';
import { idSource, type NewId } from '../../src/kernel/ids.ts';
import { createLog } from '../../src/kernel/log.ts';
import type { Bridge } from '../../src/upstream/bridge.ts';
import { event } from '../alarms/site.ts';
import { dataDir } from '../support/data-dir.ts';
import { freePort } from '../support/ports.ts';
import { devices } from './devices.ts';

export const ADMIN = 'admin-of-the-test';
export const PASSWORD = 'a-password-of-the-test';

export interface BoxOptions {
  readonly dir?: string;
  readonly clock?: Clock;
  readonly port?: number;
  readonly settings?: Record<string, unknown>;
  readonly parts?: Partial<ApiParts>;
  /** The way to a centre, on this box's journal; started and stopped with the box. */
  readonly bridge?: (journal: Journal, clock: Clock) => Bridge;
}

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** A journal on disk, the board on it and the server people talk to, on a port of its own. */
export class Box {
  readonly dir: string;
  readonly port: number;
  readonly mqttPort: number;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly journal: Journal;
  readonly board: Board;
  readonly registry: Registry;
  readonly accounts: Accounts;
  readonly cameras: CameraSettings;
  readonly settings: Settings;
  readonly server: ApiServer;
  #closed = false;
  #closeRooms: () => Promise<void> = () => Promise.resolve();

  private constructor(
    of: Pick<
      Box,
      | 'dir'
      | 'port'
      | 'mqttPort'
      | 'clock'
      | 'newId'
      | 'journal'
      | 'board'
      | 'registry'
      | 'accounts'
      | 'cameras'
      | 'settings'
      | 'server'
    >,
  ) {
    this.dir = of.dir;
    this.port = of.port;
    this.mqttPort = of.mqttPort;
    this.clock = of.clock;
    this.newId = of.newId;
    this.journal = of.journal;
    this.board = of.board;
    this.registry = of.registry;
    this.accounts = of.accounts;
    this.cameras = of.cameras;
    this.settings = of.settings;
    this.server = of.server;
  }

  static async start(options: BoxOptions = {}): Promise<Box> {
    const dir = options.dir ?? dataDir();
    const clock = options.clock ?? new SystemClock();
    const port = options.port ?? (await freePort());
    const mqttPort = await freePort();
    const log = createLog('test', process.env['QUANWEI_LOG'] ?? 'silent');
    const newId = idSource(clock);
    const file = GatewayConfig.parse({
      site: { id: 'spring-garden', name: '泉水花园', street: 'longquan' },
      data: dir,
      http: { listen: `http://127.0.0.1:${port}` },
      mqtt: { listen: [`mqtt://127.0.0.1:${mqttPort}`] },
      ...options.settings,
    });
    const journal = await Journal.open({ dir, clock, log, newId });
    const settings = Settings.load({ journal, clock, log, file });
    const { config } = settings;
    const board = await Board.load({ journal, config: config.alarms, timezone: 'Asia/Shanghai', clock, log, newId });
    settings.onChange(() => board.configure());
    const rooms = await devices({ journal, board, config, clock, log, newId });
    // What a real password costs to hash is in the tests of sign-in; here it would be half of what they take.
    const accounts = await Accounts.load({ journal, clock, hashedAs: 'device' });
    await accounts.bootstrap(ADMIN);
    const cameras = CameraSettings.load({ journal, cameras: config.cameras, clock, log });
    const bridge = options.bridge?.(journal, clock) ?? null;
    bridge?.start();
    const server = await createServer({
      journal,
      board,
      accounts,
      config,
      settings,
      firstRun: new FirstRun({ journal, clock }),
      clock,
      log,
      version: '0.0.0',
      bridge,
      cameras,
      ...rooms,
      ...options.parts,
    });
    const { registry } = rooms;
    const box = new Box({
      dir,
      port,
      mqttPort,
      clock,
      newId,
      journal,
      board,
      registry,
      accounts,
      cameras,
      settings,
      server,
    });
    box.#closeRooms = async () => {
      await bridge?.stop();
      await rooms.close();
    };
    onTestFinished(() => box.stop());
    return box;
  }

  get base(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** As the power cut leaves it to the next one: everything committed, nothing said goodbye to. */
  async stop(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.server.close();
    await this.#closeRooms();
    await this.journal.close();
  }

  nobody(): Person {
    return new Person(this.base, '');
  }

  async signIn(name = 'admin', password = ADMIN): Promise<Person> {
    const person = this.nobody();
    const answer = await person.post('/api/login', { name, password });
    if (answer.status !== 200)
      throw new Error(`signing in was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return new Person(this.base, cookieOf(answer));
  }

  /** Somebody new with this role, signed in, past the first change of password. */
  async person(role: Role, name: string = role): Promise<Person> {
    const { password } = await this.accounts.create({ name, display: name, role }, 'system');
    const first = await this.signIn(name, password);
    await first.post('/api/password', { current: password, next: PASSWORD });
    return first;
  }

  /** An event of a device, through the board, as the intake hands it over. */
  async say(
    device: string,
    category: Category,
    more: Partial<DeviceEvent> = {},
    name = device,
    channel: 'device' | 'camera' = 'device',
  ): Promise<Alarm> {
    const alarm = await this.board.transact((tx) =>
      tx.event(event(device, category, more), { name, place: '1号楼/大厅', channel, cause: '' }),
    );
    if (alarm === null) throw new Error(`${category} raised nothing`);
    return alarm;
  }
}

export const cookieOf = (answer: Answer<unknown>): string =>
  answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');

/** Somebody at a browser, as the server sees it. */
export class Person {
  readonly base: string;
  readonly cookie: string;

  constructor(base: string, cookie: string) {
    this.base = base;
    this.cookie = cookie;
  }

  get<T = Record<string, unknown>>(path: string): Promise<Answer<T>> {
    return this.ask<T>('GET', path);
  }

  post<T = Record<string, unknown>>(path: string, body?: unknown): Promise<Answer<T>> {
    return this.ask<T>('POST', path, body);
  }

  async ask<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const answer = await fetch(this.base + path, {
      method,
      headers: {
        ...(this.cookie === '' ? {} : { cookie: this.cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const json = answer.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: answer.status, headers: answer.headers, body: (json ? JSON.parse(text) : text) as T };
  }
}

/** A sign-in from another address of the loopback network, as if from another machine. */
export function signInFrom(
  address: string,
  box: Box,
  name: string,
  password: string,
): Promise<{ status: number; cookie: string }> {
  const payload = JSON.stringify({ name, password });
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: box.port,
        localAddress: address,
        method: 'POST',
        path: '/api/login',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => {
          const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
          resolve({ status: answer.statusCode ?? 0, cookie });
        });
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}

/** Waits for what happens soon, by the wall clock. */
export async function until(holds: () => boolean, what: string, withinMs = 5_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`it did not come about: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
