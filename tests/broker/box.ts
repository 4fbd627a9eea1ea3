import { scryptSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { Broker, type BrokerParts } from '../../src/broker/broker.ts';
import type { BrokerDevice } from '../../src/broker/ports.ts';
import { type GatewayConfig as Config, GatewayConfig } from '../../src/config/schema.ts';
import type { DeviceInfo } from '../../src/devices/binding.ts';
import { loadCatalogue } from '../../src/devices/catalogue.ts';
import type { Inbound } from '../../src/intake/inbound.ts';
import { Journal } from '../../src/journal/journal.ts';
import { type Cancel, type Clock, SystemClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { dataDir } from '../support/data-dir.ts';

export const SECRET = 'a-secret-of-a-device';
export const quiet = pino({ level: 'silent' });

export const catalogue = loadCatalogue([fileURLToPath(new URL('./profiles', import.meta.url))]);

export interface TestDevice extends BrokerDevice, DeviceInfo {}

export const device = (id: string, more: Partial<TestDevice> = {}): TestDevice => ({
  id,
  name: id,
  place: '',
  params: {},
  profile: 'plain',
  hub: null,
  secretHash: null,
  enabled: true,
  ...more,
});

export class TestRegistry {
  readonly devices = new Map<string, TestDevice>();
  readonly candidates: { via: string | null; key: string; hint: string }[] = [];

  get(id: string): TestDevice | null {
    return this.devices.get(id) ?? null;
  }

  children(hub: string): TestDevice[] {
    return [...this.devices.values()].filter((one) => one.hub === hub);
  }

  readonly urgent = new Set<string>();
  readonly #listeners = new Set<(id: string) => void>();

  /** As a person does it on the page. */
  change(made: TestDevice): void {
    this.devices.set(made.id, made);
    for (const listener of this.#listeners) listener(made.id);
  }

  lifeSafety(id: string): boolean {
    return this.urgent.has(id);
  }

  onChange(fn: (id: string) => void): Cancel {
    this.#listeners.add(fn);
    return { cancel: () => void this.#listeners.delete(fn) };
  }

  candidate(knock: { via: string | null; key: string; hint: string }): void {
    this.candidates.push(knock);
  }
}

/** Takes everything; `hold` and `fail` make it as slow or as broken as a disk. */
export class TestIntake {
  readonly messages: Inbound[] = [];
  fail: Error | null = null;
  #held: (() => void)[] | null = null;

  receive(message: Inbound): Promise<void> {
    this.messages.push({ ...message, payload: Buffer.from(message.payload) });
    if (this.fail !== null) return Promise.reject(this.fail);
    if (this.#held === null) return Promise.resolve();
    return new Promise((resolve) => this.#held?.push(resolve));
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const resolve of held) resolve();
  }

  get texts(): string[] {
    return this.messages.map(({ payload }) => payload.toString());
  }
}

export interface Box {
  readonly broker: Broker;
  readonly port: number;
  readonly journal: Journal;
  readonly registry: TestRegistry;
  readonly intake: TestIntake;
  readonly dir: string;
}

export const mqttConfig = (more: Record<string, unknown> = {}): Config['mqtt'] =>
  GatewayConfig.parse({
    site: { id: 'a', name: 'a', street: 'b' },
    mqtt: { listen: ['mqtt://127.0.0.1:0'], ...more },
  }).mqtt;

/** A real hash of `SECRET` that is cheap to check: two thousand devices log in below. */
export function secretHash(): string {
  const key = scryptSync(SECRET, 'salt', 32, { N: 16, r: 8, p: 1 }).toString('base64url');
  return `scrypt$16$8$1$${Buffer.from('salt').toString('base64url')}$${key}`;
}

export interface BoxOptions {
  readonly devices?: readonly (string | TestDevice)[];
  readonly mqtt?: Record<string, unknown>;
  readonly clock?: Clock;
  /** A directory of an earlier box, to go on with. */
  readonly dir?: string;
  readonly parts?: Partial<BrokerParts<TestDevice>>;
}

/** A broker on a free port with a real journal behind it; `door-1` and `button-1` may log in unless told otherwise. */
export async function startBox(options: BoxOptions = {}): Promise<Box> {
  const clock = options.clock ?? new SystemClock();
  const dir = options.dir ?? dataDir();
  const journal = await Journal.open({ dir, clock, log: quiet, newId: idSource(clock) });
  onTestFinished(() => journal.close());
  const registry = new TestRegistry();
  for (const one of options.devices ?? ['door-1', 'button-1']) {
    const made = typeof one === 'string' ? device(one, { secretHash: secretHash() }) : one;
    registry.devices.set(made.id, made);
  }
  const intake = new TestIntake();
  const broker = await Broker.start({
    config: mqttConfig(options.mqtt),
    intake,
    registry,
    catalogue,
    journal,
    clock,
    log: quiet,
    ca: null,
    ...options.parts,
  });
  onTestFinished(() => broker.close());
  return { broker, port: portOf(broker), journal, registry, intake, dir };
}

export const portOf = (broker: Broker, at = 0): number => Number(broker.addresses[at]?.url.split(':').at(-1));

/** Resolves when `holds` does; fails after 10 s. */
export async function until(holds: () => unknown, what = 'what was waited for'): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
