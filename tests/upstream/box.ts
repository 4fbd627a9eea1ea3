import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Alarm, AlarmEntryBody, Level } from '../../src/alarms/alarm.ts';
import { GatewayConfig, type UpstreamConfig } from '../../src/config/schema.ts';
import type { Draft, EntryKind } from '../../src/journal/entry.ts';
import { Journal } from '../../src/journal/journal.ts';
import { type Clock, SimulatedClock, SystemClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { Bridge, type BridgeOptions } from '../../src/upstream/bridge.ts';
import type { OrderHandlers } from '../../src/upstream/orders.ts';
import { dataDir } from '../support/data-dir.ts';

export const SITE = { street: 'longquan', id: 'spring-garden' };
export const silent = pino({ level: process.env['QUANWEI_LOG'] ?? 'silent' });

/** An `upstream` section as the configuration file would give it. */
export function upstreamConfig(section: Record<string, unknown>): UpstreamConfig {
  const { upstream } = GatewayConfig.parse({
    site: { id: SITE.id, name: '泉水花园', street: SITE.street },
    upstream: { backoff: { min: '50ms', max: '200ms', stable: '10s' }, ...section },
  });
  if (upstream === undefined) throw new Error('no upstream');
  return upstream;
}

const notWired = () => Promise.resolve({ ok: false, code: 'NOT_FOUND', detail: 'not wired in this test' });
export const noHandlers: OrderHandlers = {
  acknowledge: notWired,
  handle: notWired,
  close: notWired,
  note: notWired,
  openDoor: notWired,
  query: notWired,
  evidence: () => Promise.reject(new Error('not wired in this test')),
};

export interface Box {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly dir: string;
  bridge(config: UpstreamConfig, more?: Partial<BridgeOptions>): Bridge;
  close(): Promise<void>;
}

/** A journal on a real file, and bridges on it. */
export async function openBox(dir = dataDir(), clock: Clock = new SystemClock()): Promise<Box> {
  const journal = await Journal.open({ dir, clock, log: silent, newId: idSource(clock) });
  const bridges: Bridge[] = [];
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    for (const bridge of bridges) await stop(bridge, clock);
    await journal.close();
  };
  onTestFinished(close);
  return {
    journal,
    clock,
    dir,
    bridge(config, more = {}) {
      const bridge = new Bridge({
        journal,
        config,
        site: SITE,
        clock,
        log: silent,
        random: Math.random,
        orders: noHandlers,
        ...more,
      });
      bridges.push(bridge);
      return bridge;
    },
    close,
  };
}

/** Stops a bridge; simulated time goes on meanwhile, as real time does. */
async function stop(bridge: Bridge, clock: Clock): Promise<void> {
  let stopped = false;
  const stopping = bridge.stop().finally(() => {
    stopped = true;
  });
  while (clock instanceof SimulatedClock && !stopped) {
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await stopping;
}

/** An alarm as the board would write it down. */
export function alarmOf(id: string, more: Partial<Alarm> = {}): Alarm {
  return {
    id,
    channel: 'device',
    device: 'button-1',
    deviceName: '1号楼手报',
    place: '1号楼',
    category: 'fire.button',
    kind: 'pulse',
    level: 1,
    condition: 'active-unacknowledged',
    handling: 'open',
    drill: false,
    replayed: false,
    count: 1,
    raisedAt: 1_780_000_000_000,
    deviceTime: null,
    lastAt: 1_780_000_000_000,
    askedAt: 1_780_000_000_000,
    clearedAt: null,
    acknowledgedAt: null,
    acknowledgedBy: null,
    answeredMs: null,
    closedAt: null,
    closedBy: null,
    assignee: null,
    result: null,
    handledBy: null,
    escalations: 0,
    shelvedUntil: null,
    mergedInto: null,
    previous: null,
    detail: {},
    evidence: [],
    revision: 1,
    ...more,
  };
}

/** An alarm entry in the lane its level asks for. */
export function alarmDraft(kind: EntryKind, alarm: Alarm): Draft {
  const body: AlarmEntryBody = { alarm, change: {} };
  return {
    ...(kind === 'alarm.raised' ? { id: alarm.id } : {}),
    kind,
    actor: 'device:button-1',
    subject: alarm.id,
    lane: alarm.level === 1 ? 0 : 1,
    body,
  };
}

/** A new alarm's first entry. */
export function raised(level: Level = 1, more: Partial<Alarm> = {}): { alarm: Alarm; draft: Draft } {
  const alarm = alarmOf(randomUUID(), { level, category: level === 1 ? 'fire.button' : 'intrusion.climb', ...more });
  return { alarm, draft: alarmDraft('alarm.raised', alarm) };
}

/** Somebody passed a door. */
export function passage(n: number, deviceTime: number | null = null): Draft {
  return {
    kind: 'message',
    actor: 'device:door-1',
    subject: 'door-1',
    deviceTime,
    lane: 2,
    body: {
      topic: 'mqtt/face/1/Rec',
      message: 'passage',
      events: [
        {
          device: 'door-1',
          category: 'access.granted',
          kind: 'pulse',
          active: true,
          replayed: false,
          test: false,
          deviceTime,
          detail: { record: n, person: '张三' },
        },
      ],
      raw: '{"operator":"RecPush"}',
    },
  };
}
