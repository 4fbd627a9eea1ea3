import { expect, onTestFinished } from 'vitest';
import type { Alarm, AlarmEntryBody } from '../../src/alarms/alarm.ts';
import { type AlarmRow, alarmOf } from '../../src/alarms/alarm-rows.ts';
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
  /** Every test ends with a look at the whole ledger; `false` where a test has spoilt it on purpose. */
  audited = true;

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
      if (site.audited) audit(journal, board);
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

/** Every alarm as its newest journal entry has it, in the order they were raised. */
export function foldOf(journal: Journal): Alarm[] {
  const alarms = new Map<string, Alarm>();
  for (const { kind, body } of journal.read({ limit: 1_000_000 })) {
    if (kind.startsWith('alarm.')) alarms.set((body as AlarmEntryBody).alarm.id, (body as AlarmEntryBody).alarm);
  }
  return [...alarms.values()];
}

/** The table is what the journal says, but for counts not entered yet; memory is what the table says. */
export function audit(journal: Journal, board: Board): void {
  const rows = journal.select<AlarmRow>('SELECT * FROM alarms ORDER BY n');
  const newest = new Map(foldOf(journal).map((alarm) => [alarm.id, alarm]));
  expect(rows.map((row) => alarmOf(row).id)).toEqual([...newest.keys()]);
  for (const row of rows) {
    const alarm = alarmOf(row);
    const entered = newest.get(alarm.id) as Alarm;
    expect(row.entered).toBe(entered.count);
    const { count, lastAt, detail, evidence } = entered.count < alarm.count ? alarm : entered;
    expect(alarm).toEqual({ ...entered, count, lastAt, detail, evidence });
  }
  expect(board.open()).toEqual(rows.map(alarmOf).filter(({ closedAt }) => closedAt === null));
  const stray =
    'SELECT count(*) AS n FROM deadlines WHERE alarm NOT IN (SELECT id FROM alarms WHERE closed_at IS NULL)';
  expect(journal.select(stray)).toEqual([{ n: 0 }]);
}

/** The next process on the same data: its own boot, its monotonic clock from zero, the wall clock at `wall`. */
export const rebooted = (wall: number, boot: string): SimulatedClock => new SimulatedClock(wall, boot);
