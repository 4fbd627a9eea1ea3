import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GatewayConfig } from '../config/schema.ts';
import { BUILT_IN_PROFILES, loadCatalogue } from '../devices/catalogue.ts';
import { type Clock, SystemClock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { type DemoCompound, demoCompound } from '../simulator/compound.ts';
import { type DemoCameras, demoCameras } from '../simulator/footage/cameras.ts';
import { watchCameras } from './demo-vision.ts';
import { startGateway } from './gateway.ts';

export interface DemoOptions {
  /** Kept afterwards; without it a temporary directory is used and removed. */
  readonly data?: string;
  readonly host: string;
  /** Taken when they are free; any free one otherwise. */
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly log: Log;
  readonly clock?: Clock;
}

export interface Demo {
  readonly page: string;
  readonly mqtt: string;
  readonly devices: number;
  /** Ids; none where their footage was not prepared. */
  readonly cameras: readonly string[];
  /** Made for this run; `null` when the data directory is one of an earlier run. */
  readonly login: { readonly name: string; readonly password: string } | null;
  /** Stops everything and leaves nothing behind. */
  close(): Promise<void>;
}

/** A whole compound: the gateway and every kind of device in software here, the cameras watched by a process of their own. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const { log, clock = new SystemClock() } = options;
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const data = options.data === undefined ? mkdtempSync(join(tmpdir(), 'quanwei-demo-')) : resolve(options.data);
    if (options.data === undefined) closers.push(() => rmSync(data, { recursive: true, force: true }));
    else mkdirSync(data, { recursive: true, mode: 0o700 });
    const compound = demoCompound();
    const filmed = await demoCameras();
    if (filmed !== null) closers.push(() => filmed.close());
    const config = await configuration(options, data, compound, filmed?.cameras ?? []);
    // Given, not made up by the gateway: nobody has to change it before looking around.
    const firstPassword = randomBytes(8)
      .toString('hex')
      .replace(/.{4}(?=.)/g, '$&-');
    const gateway = await startGateway({ config, clock, log, firstPassword });
    closers.push(() => gateway.close());
    const [mqtt = ''] = gateway.mqtt;
    const simulation = await compound.play({ url: mqtt, catalogue: loadCatalogue([BUILT_IN_PROFILES]), clock, log });
    closers.push(() => simulation.stop());
    if (filmed !== null) closers.push(watchCameras(config, filmed.cameras, clock, log));
    const cameras = config.cameras.map(({ id }) => id);
    return { page: gateway.http, mqtt, devices: compound.devices.length, cameras, login: gateway.firstLogin, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function configuration(
  options: DemoOptions,
  data: string,
  compound: DemoCompound,
  cameras: DemoCameras['cameras'],
): Promise<GatewayConfig> {
  const [mqtt, http] = [await portFor('127.0.0.1', options.mqttPort), await portFor(options.host, options.httpPort)];
  const config = GatewayConfig.parse({
    site: { id: 'demo', name: '泉水花园（演示）', street: 'demo' },
    data,
    mqtt: { listen: [`mqtt://127.0.0.1:${mqtt}`] },
    http: { listen: `http://${options.host}:${http}` },
    alarms: { fireReleases: compound.fireReleases },
    cameras,
    vision: { listen: `http://127.0.0.1:${await portFor('127.0.0.1', 8090)}` },
  });
  return { ...config, devices: compound.devices };
}

/** `wanted` when nobody listens there, else any free port. */
async function portFor(host: string, wanted: number): Promise<number> {
  return (await probe(host, wanted)) ?? (await probe(host, 0)) ?? wanted;
}

function probe(host: string, port: number): Promise<number | null> {
  return new Promise((found) => {
    const server = createServer();
    server.once('error', () => found(null));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
