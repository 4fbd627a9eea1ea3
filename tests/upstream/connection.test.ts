import { describe, expect, test } from 'vitest';
import { Backoff } from '../../src/kernel/backoff.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { dataDir } from '../support/data-dir.ts';
import { openBox, passage, raised, upstreamConfig } from './box.ts';
import { until } from './centre.ts';
import { Line, turns } from './line.ts';

const away = new QuanweiError('UPSTREAM_UNAVAILABLE', 'connect ECONNREFUSED');
const DAY_MS = 86_400_000;

async function simulated(section: Record<string, unknown> = {}, random = () => 0.5) {
  const clock = new SimulatedClock();
  const box = await openBox(dataDir(), clock);
  const line = new Line();
  const config = upstreamConfig({
    url: 'mqtt://centre:1883',
    backoff: { min: '1s', max: '60s', stable: '30s' },
    ...section,
  });
  const bridge = box.bridge(config, { connect: line.connect, random });
  return { clock, box, line, bridge };
}

describe('waiting between attempts', () => {
  test('each wait lies between the shortest and three times the one before, and never above the longest', () => {
    const draws = [0, 0.999, 0.5, 0.999, 0.999, 0.999, 0.999, 0.2];
    const backoff = new Backoff({ min: 1_000, max: 60_000, random: () => draws.shift() ?? 0 });
    let before = 1_000;
    for (let n = 0; n < 8; n += 1) {
      const wait = backoff.next();
      expect(wait).toBeGreaterThanOrEqual(1_000);
      expect(wait).toBeLessThanOrEqual(Math.min(60_000, Math.max(1_000, before * 3)));
      before = wait;
    }
  });

  test('a centre that refuses is tried ever more rarely, about once a minute in the end', async () => {
    const { clock, line, bridge } = await simulated({}, () => 0.9);
    line.onAttempt = (attempt) => attempt.fail(away);
    bridge.start();
    const made: number[] = [];
    for (let minute = 0; minute < 60; minute += 1) {
      const before = line.attempts.length;
      for (let second = 0; second < 60; second += 1) {
        clock.advance(1_000);
        await turns(1);
      }
      made.push(line.attempts.length - before);
    }
    expect(made[0]).toBeGreaterThanOrEqual(3);
    expect(made.slice(-10).every((count) => count <= 2)).toBe(true);
    expect(bridge.state()).toMatchObject({ connected: false, error: 'connect ECONNREFUSED' });
  });

  test('a connection that breaks before it was stable does not reset the waiting', async () => {
    const { clock, line, bridge } = await simulated({}, () => 0.9);
    line.onAttempt = (attempt) => attempt.fail(away);
    bridge.start();
    for (let n = 0; n < 600; n += 1) {
      clock.advance(1_000);
      await turns(1);
    }
    line.onAttempt = (attempt) => attempt.events.up(true);
    const settle = async () => {
      const before = line.attempts.length;
      let waited = 0;
      while (line.attempts.length === before) {
        clock.advance(1_000);
        waited += 1;
        await turns(2);
      }
      return waited;
    };
    await settle();
    expect(bridge.state().connected).toBe(true);
    clock.advance(5_000);
    line.last.fail(away);
    expect(await settle()).toBeGreaterThan(30);
    await turns();
    clock.advance(31_000);
    line.last.fail(away);
    expect(await settle()).toBeLessThanOrEqual(3);
  });
});

describe('a centre that is away', () => {
  test('for three days: alarms all arrive when it is back, records older than their time are dropped and counted', async () => {
    const { clock, box, line, bridge } = await simulated({ expire: { access: '1d', device: '1d' } });
    line.onAttempt = (attempt) => attempt.fail(away);
    bridge.start();
    const alarms: string[] = [];
    const fresh: string[] = [];
    for (let hour = 0; hour < 72; hour += 1) {
      const { alarm, draft } = raised(hour % 4 === 0 ? 1 : 2);
      alarms.push(alarm.id);
      const [, passed] = await box.journal.append([draft, passage(hour)]);
      if (hour >= 48) fresh.push(passed?.id ?? '');
      clock.advance(3_600_000);
      await turns(3);
    }
    expect(bridge.state().waiting).toBe(144);
    expect(bridge.state().oldestAlarmMs).toBeGreaterThanOrEqual(3 * DAY_MS);
    line.onAttempt = (attempt) => attempt.events.up(true);
    for (let n = 0; n < 120 && !bridge.state().connected; n += 1) {
      clock.advance(1_000);
      await turns(3);
    }
    for (let n = 0; n < 20; n += 1) {
      clock.advance(1_000);
      await turns(10);
    }
    const ids = line.last.ids();
    expect(ids.filter((id) => alarms.includes(id)).sort()).toEqual([...alarms].sort());
    expect(ids.filter((id) => fresh.includes(id))).toHaveLength(23);
    expect(ids.slice(0, 18).every((id) => alarms.indexOf(id) % 4 === 0)).toBe(true);
    const drops = () => box.journal.read({ after: 0, limit: 100, kinds: ['system.dropped'] });
    await until(() => drops().length > 0, 'the loss is written down');
    const dropped = drops();
    expect(dropped.map(({ body }) => (body as { count: number; class: string }).count).reduce((a, b) => a + b)).toBe(
      49,
    );
    expect(bridge.state()).toMatchObject({ waiting: 0, oldestAlarmMs: 0, counts: { expired: 49 } });
  });

  test('records stamped by a clock that did not know the time do not expire by it', async () => {
    const { clock, box, line, bridge } = await simulated({ expire: { access: '1d', device: '1d' } });
    clock.stepWall(0);
    clock.setState('unsynced');
    const [entry] = await box.journal.append([passage(1)]);
    clock.stepWall(Date.UTC(2026, 6, 1));
    clock.setState('synced');
    line.onAttempt = (attempt) => attempt.events.up(true);
    bridge.start();
    await turns(10);
    expect(line.last.ids()).toEqual([entry?.id]);
    expect(JSON.parse(line.last.published.at(-1)?.payload ?? '')).toMatchObject({ clockstate: 'unsynced' });
  });

  test('a wall clock that steps by years expires nothing of this process', async () => {
    const { clock, box, line, bridge } = await simulated({ expire: { access: '1d', device: '1d' } });
    line.onAttempt = (attempt) => attempt.fail(away);
    bridge.start();
    const [entry] = await box.journal.append([passage(1)]);
    clock.stepWall(Date.UTC(2099, 0, 1));
    line.onAttempt = (attempt) => attempt.events.up(true);
    for (let n = 0; n < 60; n += 1) {
      clock.advance(1_000);
      await turns(2);
    }
    expect(line.last.ids()).toEqual([entry?.id]);
    expect(bridge.state().counts.expired).toBe(0);
  });

  test('memory holds a page of each lane, however much waits', async () => {
    const { box, line, bridge } = await simulated();
    line.onAttempt = (attempt) => attempt.fail(away);
    bridge.start();
    for (let n = 0; n < 40; n += 1) {
      await box.journal.append(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? raised(2).draft : passage(i))));
    }
    await turns();
    expect(bridge.state().waiting).toBe(4_000);
    expect(bridge.state().lanes.map(({ waiting }) => waiting)).toEqual([0, 2_000, 2_000, 0]);
    expect(line.attempts.length).toBeLessThan(5);
  });
});

describe('a broker that loses its memory', () => {
  test('is sent nothing until its readers had time to come back', async () => {
    const { clock, box, line, bridge } = await simulated();
    line.onAttempt = (attempt) => attempt.events.up(false);
    bridge.start();
    await turns();
    await box.journal.append([raised(1).draft]);
    await turns();
    expect(line.last.ids()).toHaveLength(1);
    line.last.fail(away);
    const second = await box.journal.append([raised(1).draft]);
    clock.advance(3_000);
    await turns();
    expect(line.attempts).toHaveLength(2);
    expect(line.last.ids()).toEqual([]);
    clock.advance(3_000);
    await turns();
    expect(line.last.ids()).toEqual([second[0]?.id]);
  });

  test('one that still knows us is sent everything at once', async () => {
    const { clock, box, line, bridge } = await simulated();
    line.onAttempt = (attempt) => attempt.events.up(true);
    bridge.start();
    await turns();
    await box.journal.append([raised(1).draft]);
    await turns();
    line.last.fail(away);
    const second = await box.journal.append([raised(1).draft]);
    clock.advance(3_000);
    await turns();
    expect(line.last.ids()).toEqual([second[0]?.id]);
  });
});

describe('a broker that accepts and never confirms', () => {
  test('is given up after a while and tried again; a fire alarm still goes out at once', async () => {
    const { clock, box, line, bridge } = await simulated({ inflight: 10 });
    line.onAttempt = (attempt) => {
      attempt.confirms = false;
      attempt.events.up(true);
    };
    bridge.start();
    await turns();
    await box.journal.append(Array.from({ length: 50 }, (_, n) => passage(n)));
    await box.journal.append(Array.from({ length: 50 }, () => raised(2).draft));
    await turns();
    expect(line.last.ids()).toHaveLength(20);
    const [fire] = await box.journal.append([raised(1).draft]);
    await turns();
    expect(line.last.ids().at(-1)).toBe(fire?.id);
    for (let n = 0; n < 32; n += 1) clock.advance(1_000);
    expect(line.last.over).toBe(true);
    expect(bridge.state().error).toMatch(/does not confirm/);
    for (let n = 0; n < 5; n += 1) {
      clock.advance(1_000);
      await turns();
    }
    expect(line.attempts).toHaveLength(2);
    expect(line.last.ids()[0]).toBe(fire?.id);
    expect(bridge.state().waiting).toBe(101);
  });

  test('a late confirmation from a connection already lost still counts', async () => {
    const { clock, box, line, bridge } = await simulated();
    line.onAttempt = (attempt) => {
      attempt.confirms = line.attempts.length > 1;
      attempt.events.up(true);
    };
    bridge.start();
    await turns();
    await box.journal.append([raised(1).draft, raised(1).draft]);
    await turns();
    const [first, second] = line.last.published.filter(({ topic }) => topic.includes('/event/'));
    line.last.fail(away);
    first?.answer(null, true);
    clock.advance(3_000);
    await turns();
    expect(line.attempts).toHaveLength(2);
    expect(line.last.ids()).toEqual([JSON.parse(second?.payload ?? '').id]);
  });
});
