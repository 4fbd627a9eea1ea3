import type { IClientOptions } from 'mqtt';
import type { DeviceConfig } from '../config/schema.ts';
import type { DeviceInfo } from '../devices/binding.ts';
import type { Catalogue } from '../devices/catalogue.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { Player, type PlayerCounts } from './player.ts';
import { pick, seeded, seedOf } from './random.ts';

export interface SimulateOptions {
  /** `mqtt://HOST:PORT` or `mqtts://HOST:PORT` of any broker. */
  readonly url: string;
  readonly catalogue: Catalogue;
  /** The devices to play; those with a hub are spoken for by it. `standIns(n)` makes some. */
  readonly devices: readonly DeviceConfig[];
  /** Messages a second, all devices together, besides births, heartbeats and answers. */
  readonly rate: number;
  /** Stops by itself after this long; without it, `stop()` does. */
  readonly seconds?: number;
  /** The same seed tells the same story. */
  readonly seed?: number;
  readonly timezone?: string;
  /** One login for all, for a broker that does not know the devices. */
  readonly username?: string;
  readonly password?: string;
  readonly connection?: IClientOptions;
  readonly heartbeat?: number;
  readonly resend?: number;
  /** Share of messages that are incidents, 0–1; default 0.02. */
  readonly incidents?: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Totals extends PlayerCounts {
  readonly devices: number;
  readonly connected: number;
  /** Records still without their receipt. */
  readonly unreceipted: number;
  /** publish → PUBACK of the latest messages, ms; 0 when nothing was measured */
  readonly p50: number;
  readonly p99: number;
}

export interface Simulation {
  readonly players: ReadonlyMap<string, Player>;
  totals(): Totals;
  stop(): Promise<Totals>;
  /** Resolves when it has stopped, by itself or by `stop()`. */
  readonly done: Promise<Totals>;
}

const TICK_MS = 20;
/** Devices that log in at the same time; more is a thundering herd no site has. */
const LOGINS_AT_ONCE = 50;

/** Plays devices against a broker. Resolves when all have logged in. */
export async function simulate(options: SimulateOptions): Promise<Simulation> {
  const { seed = 1, clock } = options;
  const players = new Map(playersOf(options, seed).map((player) => [player.id, player]));
  const all = [...players.values()];
  for (let at = 0; at < all.length; at += LOGINS_AT_ONCE) {
    await Promise.all(all.slice(at, at + LOGINS_AT_ONCE).map((player) => player.start()));
  }
  const talkers = all.filter((player) => player.talks);
  const random = seeded(seedOf(seed, 'who speaks'));
  let due = 0;
  let last = clock.mono();
  const ticker = clock.every(TICK_MS, () => {
    const now = clock.mono();
    // What a stalled loop could not say is not said in one burst afterwards.
    due = Math.min(due + ((now - last) * options.rate) / 1_000, Math.max(1, options.rate));
    last = now;
    for (; due >= 1; due -= 1) pick(talkers, random)?.say();
  });
  let finished: (totals: Totals) => void;
  const done = new Promise<Totals>((resolve) => {
    finished = resolve;
  });
  let stopping: Promise<Totals> | null = null;
  const stop = (): Promise<Totals> => {
    stopping ??= (async () => {
      ticker.cancel();
      const totals = totalsOf(all);
      await Promise.all(all.map((player) => player.stop()));
      finished(totals);
      return totals;
    })();
    return stopping;
  };
  if (options.seconds !== undefined) clock.after(options.seconds * 1_000, () => void stop());
  return { players, totals: () => totalsOf(all), stop, done };
}

function playersOf(options: SimulateOptions, seed: number): Player[] {
  const { catalogue, devices } = options;
  const model = (config: DeviceConfig): { device: DeviceInfo; profile: ReturnType<Catalogue['get']> } => ({
    device: { id: config.id, name: config.name ?? config.id, place: config.place, params: config.params },
    profile: catalogue.get(config.profile),
  });
  return devices
    .filter(({ hub }) => hub === undefined)
    .map((config) => {
      const { device, profile } = model(config);
      const children = devices.filter(({ hub }) => hub === config.id).map(model);
      return new Player(profile, device, children, {
        url: options.url,
        username: options.username,
        password: options.password ?? config.secret,
        ...(options.connection === undefined ? {} : { connection: options.connection }),
        ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
        ...(options.resend === undefined ? {} : { resend: options.resend }),
        ...(options.incidents === undefined ? {} : { incidents: options.incidents }),
        timezone: options.timezone ?? 'Asia/Shanghai',
        clock: options.clock,
        random: seeded(seedOf(seed, config.id)),
        log: options.log,
      });
    });
}

function totalsOf(players: readonly Player[]): Totals {
  const counts: PlayerCounts = { sent: 0, accepted: 0, failed: 0, skipped: 0, resent: 0, receipts: 0, commands: 0 };
  for (const player of players) {
    for (const key of Object.keys(counts) as (keyof PlayerCounts)[]) counts[key] += player.counts[key];
  }
  const latencies = players.flatMap((player) => player.latencies).sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? 0;
  return {
    ...counts,
    devices: players.length,
    connected: players.filter((player) => player.connected).length,
    unreceipted: players.reduce((sum, player) => sum + player.unreceipted, 0),
    p50: at(0.5),
    p99: at(0.99),
  };
}
