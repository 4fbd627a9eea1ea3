import { onTestFinished } from 'vitest';
import type { Alarm } from '../../src/alarms/alarm.ts';
import { Board } from '../../src/alarms/board.ts';
import { Escalation } from '../../src/alarms/escalation.ts';
import type { About } from '../../src/alarms/transition.ts';
import { type AlarmsConfig, GatewayConfig } from '../../src/config/schema.ts';
import type { Category, DeviceEvent } from '../../src/devices/event.ts';
import type { Entry } from '../../src/journal/entry.ts';
import { Journal } from '../../src/journal/journal.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { createLog } from '../../src/kernel/log.ts';

/** The alarms section with every default, and what a test changes of it. */
export function alarmsConfig(settings: Record<string, unknown> = {}): AlarmsConfig {
  return GatewayConfig.parse({ site: { id: 'test', name: 'Test', street: 'test' }, alarms: settings }).alarms;
}

export function event(device: string, category: Category, more: Partial<DeviceEvent> = {}): DeviceEvent {
  return {
    device,
    category,
    kind: 'pulse',
    active: true,
    replayed: false,
    test: false,
    deviceTime: null,
    detail: {},
    ...more,
  };
}

export const level = (device: string, category: Category, active = true, more: Partial<DeviceEvent> = {}) =>
  event(device, category, { kind: 'level', active, ...more });

export const about = (device: string, place = '1/1'): About => ({
  name: `Device ${device}`,
  place,
  channel: 'device',
  cause: '',
});

export const guard = { actor: 'user:li', role: 'operator' };
export const manager = { actor: 'user:wang', role: 'manager' };

export interface SiteOptions {
  readonly settings?: Record<string, unknown>;
  readonly clock?: SimulatedClock;
  readonly lifeSafety?: (device: string) => boolean;
  readonly timezone?: string;
}

/** A journal on disk, the board on it and the clock that drives both. */
export class Site {
  readonly clock: SimulatedClock;
  readonly journal: Journal;
  readonly board: Board;
  readonly escalation: Escalation;

  private constructor(clock: SimulatedClock, journal: Journal, board: Board, escalation: Escalation) {
    this.clock = clock;
    this.journal = journal;
    this.board = board;
    this.escalation = escalation;
  }

  static async open(dir: string, options: SiteOptions = {}): Promise<Site> {
    const clock = options.clock ?? new SimulatedClock();
    const log = createLog('test', process.env['QUANWEI_LOG'] ?? 'silent');
    const newId = idSource(clock);
    const journal = await Journal.open({ dir, clock, log, newId });
    const board = await Board.load({
      journal,
      config: alarmsConfig(options.settings),
      timezone: options.timezone ?? 'Asia/Shanghai',
      clock,
      log,
      newId,
      ...(options.lifeSafety === undefined ? {} : { lifeSafety: options.lifeSafety }),
    });
    const escalation = new Escalation({ board, clock, log });
    let closed = false;
    const site = new Site(clock, journal, board, escalation);
    site.close = async () => {
      if (closed) return;
      closed = true;
      await escalation.stop();
      await journal.close();
    };
    onTestFinished(() => site.close());
    return site;
  }

  close: () => Promise<void> = () => Promise.resolve();

  say(one: DeviceEvent, where: About = about(one.device)): Promise<Alarm | null> {
    return this.board.transact((tx) => tx.event(one, where));
  }

  /** Raises an alarm that must come of it. */
  async raise(one: DeviceEvent, where: About = about(one.device)): Promise<Alarm> {
    const alarm = await this.say(one, where);
    if (alarm === null) throw new Error(`${one.category} raised nothing`);
    return alarm;
  }

  /** Lets `ms` pass, looking after deadlines every second on the way. */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(stepMs, left));
      await this.escalation.look();
    }
  }

  /** All `alarm.*` entries, oldest first. */
  entries(alarm?: string): Entry[] {
    return this.journal
      .read({ after: 0, limit: 1_000_000, ...(alarm === undefined ? {} : { subject: alarm }) })
      .filter(({ kind }) => kind.startsWith('alarm.'));
  }

  kinds(alarm?: string): string[] {
    return this.entries(alarm).map(({ kind }) => kind.slice('alarm.'.length));
  }
}

/** The next process on the same data: its own boot, its monotonic clock from zero, the wall clock at `wall`. */
export const rebooted = (wall: number, boot: string): SimulatedClock => new SimulatedClock(wall, boot);
