import { onTestFinished } from 'vitest';
import { Board } from '../../src/alarms/board.ts';
import { GatewayConfig } from '../../src/config/schema.ts';
import type { Outgoing } from '../../src/devices/event.ts';
import type { DeviceLink } from '../../src/devices/link.ts';
import { Registry } from '../../src/devices/registry.ts';
import type { Draft, Entry, EntryKind } from '../../src/journal/entry.ts';
import { Journal, type JournalOptions } from '../../src/journal/journal.ts';
import type { SimulatedClock } from '../../src/kernel/clock.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { newStart, quiet } from '../journal/support.ts';
import { dataDir } from '../support/data-dir.ts';
import { catalogue } from './support.ts';

export { until } from '../journal/support.ts';

export interface BoxOptions {
  readonly dir?: string;
  readonly clock?: SimulatedClock;
  readonly devices?: readonly Record<string, unknown>[];
  readonly alarms?: Record<string, unknown>;
  readonly turn?: JournalOptions['turn'];
}

/** The rooms below the intake on a real journal; nothing but time is simulated. */
export interface Box {
  readonly dir: string;
  readonly clock: SimulatedClock;
  readonly config: GatewayConfig;
  readonly journal: Journal;
  readonly registry: Registry;
  readonly board: Board;
  readonly link: TestLink;
  entries(...kinds: EntryKind[]): Entry[];
  /** What a device's message does on its way through the intake, as far as the device itself is concerned. */
  says(id: string, report?: Parameters<Registry['note']>[2]): Promise<void>;
  close(): Promise<void>;
}

/** A transport that delivers at once; a device in `away` has no connection. */
export class TestLink implements DeviceLink {
  readonly sent: { device: string; message: Outgoing }[] = [];
  readonly away = new Set<string>();
  delivered: (device: string, message: Outgoing) => void = () => undefined;

  async send(device: string, message: Outgoing): Promise<void> {
    if (this.away.has(device)) throw new QuanweiError('DEVICE_OFFLINE', `${device} is not connected`);
    this.sent.push({ device, message });
    this.delivered(device, message);
  }

  offer(device: string, message: Outgoing): boolean {
    if (this.away.has(device)) return false;
    this.sent.push({ device, message });
    this.delivered(device, message);
    return true;
  }

  connected(device: string): boolean {
    return !this.away.has(device);
  }
}

export const SECRET = 'a-secret-for-tests';
export const door = (id: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  id,
  profile: 'face-oem-mqtt',
  secret: SECRET,
  ...more,
});

export async function openBox(options: BoxOptions = {}): Promise<Box> {
  const { dir = dataDir(), clock = newStart(), devices = [], alarms = {}, turn } = options;
  const config = GatewayConfig.parse({ site: { id: 'a', name: 'a', street: 'b' }, devices, alarms });
  const newId = idSource(clock);
  const journal = await Journal.open({ dir, clock, log: quiet, newId, ...(turn === undefined ? {} : { turn }) });
  onTestFinished(() => journal.close());
  const registry = await Registry.load({ journal, catalogue: catalogue(), config, clock, log: quiet });
  onTestFinished(() => registry.close());
  const board = await Board.load({
    journal,
    config: config.alarms,
    timezone: config.site.timezone,
    clock,
    log: quiet,
    newId,
    lifeSafety: (id) => registry.lifeSafety(id),
  });
  return {
    dir,
    clock,
    config,
    journal,
    registry,
    board,
    link: new TestLink(),
    entries: (...kinds) => journal.read({ after: 0, limit: 10_000, kinds }),
    says: async (id, report = {}) => {
      const drafts: Draft[] = registry.note(id, clock.wall(), report);
      if (drafts.length > 0) await journal.append(drafts);
      await told();
    },
    close: async () => {
      await registry.close();
      await journal.close();
    },
  };
}

/** Followers of the journal hear one turn after the appenders. */
export const told = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));
