import { appendFileSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AlarmAction } from '../../src/alarms/actions.ts';
import { rings } from '../../src/alarms/alarm.ts';
import { drill, type Report, receiptNumber } from '../../src/alarms/reports.ts';
import type { Draft } from '../../src/journal/entry.ts';
import { canMount, smallDisk } from '../journal/mount.ts';
import { dataDir } from '../support/data-dir.ts';
import { about, event, guard, level, manager, rebooted, Site } from './site.ts';

const MINUTE = 60_000;

const message = (device: string, key: number | null = null): Draft => ({
  kind: 'message',
  actor: `device:${device}`,
  subject: device,
  key: key === null ? null : Buffer.alloc(16, key).toString('hex'),
  body: {},
});

describe('flood control', () => {
  test('two buttons pressed are two alarms', async () => {
    const site = await Site.open(dataDir());
    await Promise.all([site.say(event('button-1', 'fire.button')), site.say(event('button-2', 'fire.button'))]);
    expect(site.board.open().map(({ device, count, level }) => ({ device, count, level }))).toEqual([
      { device: 'button-1', count: 1, level: 1 },
      { device: 'button-2', count: 1, level: 1 },
    ]);
  });

  test('the same SOS ten times in a second is one alarm with count 10, in one commit or in ten', async () => {
    for (const together of [true, false]) {
      const site = await Site.open(dataDir());
      const presses = Array.from({ length: 10 }, () => event('sos-1', 'sos'));
      if (together) await Promise.all(presses.map((one) => site.say(one)));
      else {
        for (const one of presses) {
          await site.say(one);
          site.clock.advance(100);
        }
      }
      expect(site.board.open()).toMatchObject([{ device: 'sos-1', count: 10, condition: 'active-unacknowledged' }]);
    }
  });

  test('what only happens is a new alarm after the window, which names the one before', async () => {
    const site = await Site.open(dataDir());
    const first = await site.raise(event('cam', 'intrusion.climb'));
    site.clock.advance(4 * MINUTE);
    expect((await site.raise(event('cam', 'intrusion.climb'))).id).toBe(first.id);
    site.clock.advance(6 * MINUTE);
    const second = await site.raise(event('cam', 'intrusion.climb'));
    expect(second).toMatchObject({ count: 1, previous: first.id });
    expect(site.board.open().map(({ id, count }) => [id, count])).toEqual([
      [first.id, 2],
      [second.id, 1],
    ]);
  });

  test('the window is measured by a clock that does not step', async () => {
    const site = await Site.open(dataDir());
    const { id } = await site.raise(event('cam', 'intrusion.climb'));
    site.clock.stepWall(site.clock.wall() + 86_400_000);
    expect(await site.raise(event('cam', 'intrusion.climb'))).toMatchObject({ id, count: 2 });
    site.clock.stepWall(site.clock.wall() - 2 * 86_400_000);
    site.clock.advance(6 * MINUTE);
    expect(await site.raise(event('cam', 'intrusion.climb'))).toMatchObject({ count: 1, previous: id });
  });

  test('a device that chatters is counted exactly, but entered in the journal once a second', async () => {
    const dir = dataDir();
    const site = await Site.open(dir);
    for (let i = 0; i < 400; i += 1) {
      await site.board.transact((tx) => {
        tx.append(message('sos'));
        tx.event(event('sos', 'sos'), about('sos'));
      });
      site.clock.advance(25);
    }
    const [alarm] = site.board.open();
    expect(alarm?.count).toBe(400);
    const entered = site.kinds().filter((kind) => kind === 'repeated').length;
    expect(entered).toBeGreaterThan(20);
    expect(entered).toBeLessThan(35);
    expect(site.journal.read({ limit: 1_000, kinds: ['message'] })).toHaveLength(400);
    await site.pass(2_000);
    const last = site.entries(alarm?.id).at(-1);
    expect(last).toMatchObject({ kind: 'alarm.repeated', body: { alarm: { count: 400 } } });
    await site.pass(10_000);
    expect(site.entries(alarm?.id).at(-1)?.seq).toBe(last?.seq);
  });

  test('a chattering alarm can be acknowledged by somebody who saw it a moment ago', async () => {
    const site = await Site.open(dataDir());
    const seen = await site.raise(event('sos', 'sos'));
    for (let i = 0; i < 30; i += 1) await site.say(event('sos', 'sos'));
    const deed = { alarm: seen.id, type: 'acknowledge', revision: seen.revision } as const;
    expect(await site.board.transact((tx) => tx.act(deed, guard))).toMatchObject({ count: 31, condition: 'latched' });
  });
});

test('an event costs well under 100 µs with two thousand alarms open', { timeout: 60_000 }, async () => {
  const site = await Site.open(dataDir());
  await Promise.all(Array.from({ length: 2_000 }, (_, i) => site.say(event(`d-${i}`, i % 2 === 0 ? 'sos' : 'tamper'))));
  expect(site.board.open()).toHaveLength(2_000);
  const rounds: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    rounds.push(
      await site.board.transact((tx) => {
        const before = process.cpuUsage(); // what this process used, whatever else the machine does
        for (let i = 0; i < 2_000; i += 1) tx.event(event(`d-${i}`, i % 2 === 0 ? 'sos' : 'tamper'), about(`d-${i}`));
        const { user, system } = process.cpuUsage(before);
        return (user + system) / 2_000;
      }),
    );
  }
  expect(Math.min(...rounds)).toBeLessThan(100);
});

describe('practice, backlog and the real thing', () => {
  test('are never one alarm, even of one device', async () => {
    const site = await Site.open(dataDir());
    await site.say(event('b', 'fire.button', { test: true }));
    await site.say(event('b', 'fire.button', { replayed: true }));
    await site.say(event('b', 'fire.button'));
    await site.say(event('b', 'fire.button', { replayed: true }));
    expect(site.board.open().map((one) => [one.drill, one.replayed, one.count, rings(one)])).toEqual([
      [true, false, 1, false],
      [false, true, 2, false],
      [false, false, 1, true],
    ]);
    expect(site.entries().map(({ lane }) => lane)).toEqual([1, 1, 0, 1]);
  });

  test('what a device says now clears what it said live, late or in practice', async () => {
    const site = await Site.open(dataDir());
    await site.say(level('s', 'fire.smoke', true, { test: true }));
    await site.say(level('s', 'fire.smoke', true, { replayed: true }));
    await site.say(level('s', 'fire.smoke'));
    await site.say(level('s', 'fire.smoke', false));
    expect(site.board.open().map(({ condition }) => condition)).toEqual(Array(3).fill('cleared-unacknowledged'));
  });

  test('what it says late clears what it said live only when it certainly came after', async () => {
    const site = await Site.open(dataDir());
    const raised = await site.raise(level('s', 'door.held'));
    const late = (deviceTime: number | null) => level('s', 'door.held', false, { replayed: true, deviceTime });
    await site.say(late(null));
    await site.say(late(raised.lastAt - 1_000));
    expect(site.board.get(raised.id)?.condition).toBe('active-unacknowledged');
    await site.say(late(raised.lastAt + 1_000));
    expect(site.board.get(raised.id)?.condition).toBe('cleared-unacknowledged');
  });
});

describe.runIf(canMount())('a full disk', () => {
  test('refuses the alarm so that its device says it again, and has it once there is room', async () => {
    const dir = smallDisk(8);
    const site = await Site.open(dir);
    await site.say(event('a', 'sos'));
    const filler = `${dir}/somebody-elses`;
    const chunk = Buffer.alloc(64 * 1024);
    for (let full = false; !full; ) {
      try {
        appendFileSync(filler, chunk);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'ENOSPC' });
        full = true;
      }
    }
    let acknowledged = 1;
    for (let refused = 0; refused < 10; ) {
      try {
        await site.board.transact((tx) => {
          tx.append({ ...message('a'), body: 'x'.repeat(4_000) });
          tx.event(event('a', 'sos'), about('a'));
        });
        acknowledged += 1;
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'STORAGE_FULL' });
        refused += 1;
      }
    }
    expect(site.board.open()).toMatchObject([{ device: 'a', count: acknowledged }]);
    rmSync(filler);
    await site.say(event('a', 'sos'));
    await site.say(event('b', 'sos'));
    expect(site.board.open().map(({ device, count }) => [device, count])).toEqual([
      ['a', acknowledged + 1],
      ['b', 1],
    ]);
  });
});

describe('a transaction', () => {
  test('that throws contributes nothing, rejects only itself, and the others of its commit are stored', async () => {
    const site = await Site.open(dataDir());
    const outcomes = await Promise.allSettled([
      site.say(event('a', 'sos')),
      site.board.transact((tx) => {
        tx.append(message('b'));
        tx.event(event('b', 'sos'), about('b'));
        tx.event(event('a', 'sos'), about('a'));
        throw new Error('mistake');
      }),
      site.say(event('a', 'sos')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(site.board.open()).toMatchObject([{ device: 'a', count: 2 }]);
    expect(site.kinds()).toEqual(['raised', 'repeated']);
    expect(site.journal.state().commits).toBeLessThanOrEqual(3);
  });

  test('sees what those before it in the same commit did', async () => {
    const site = await Site.open(dataDir());
    const seen = await Promise.all([
      site.say(event('a', 'sos')),
      site.board.transact((tx) => tx.event(event('a', 'sos'), about('a'))?.count),
      site.board.transact((tx) => {
        const alarm = tx.event(event('a', 'sos'), about('a'));
        return tx.act({ alarm: alarm?.id ?? '', type: 'acknowledge' }, guard).count;
      }),
    ]);
    expect(seen.slice(1)).toEqual([2, 3]);
  });

  test('closed and raised again in one commit is a second alarm', async () => {
    const site = await Site.open(dataDir());
    const first = await site.raise(event('a', 'sos'));
    const second = await site.board.transact((tx) => {
      tx.act({ alarm: first.id, type: 'close', result: 'done' }, guard);
      return tx.event(event('a', 'sos'), about('a'));
    });
    expect(second).toMatchObject({ previous: first.id, count: 1 });
    expect(site.board.open().map(({ id }) => id)).toEqual([second?.id]);
  });

  test('that the database refuses does not take down those it shares a commit with', async () => {
    const site = await Site.open(dataDir());
    const outcomes = await Promise.allSettled([
      site.say(event('a', 'sos')),
      site.board.transact((tx) => {
        tx.event(event('b', 'sos'), about('b'));
        tx.append({ ...message('b'), body: 'x'.repeat(300_000) });
      }),
      site.board.transact((tx) => {
        tx.event(event('c', 'sos'), about('c'));
        tx.change({ sql: 'INSERT INTO deadline_clock VALUES (2, ?, 0, 0, 0, 0)', params: ['x'] });
      }),
      site.say(event('d', 'sos')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(site.board.open().map(({ device }) => device)).toEqual(['a', 'd']);
    expect(site.kinds()).toEqual(['raised', 'raised']);
  });

  test('that cannot be stored leaves the board as it was', async () => {
    const dir = dataDir();
    const site = await Site.open(dir);
    const alarm = await site.raise(event('a', 'sos'));
    site.audited = false;
    await site.journal.close();
    const outcomes = await Promise.allSettled([
      site.say(event('a', 'sos')),
      site.say(event('b', 'sos')),
      site.board.transact((tx) => tx.act({ alarm: alarm.id, type: 'acknowledge' }, guard)),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_UNAVAILABLE' } });
    }
    expect(site.board.open()).toEqual([alarm]);
    const next = await Site.open(dir, { clock: rebooted(site.clock.wall(), 'second') });
    expect(next.board.open()).toEqual([alarm]);
  });

  test('of a person is refused with what to do about it, and the refusal changes nothing', async () => {
    const site = await Site.open(dataDir());
    const { id, revision } = await site.raise(event('a', 'sos'));
    const refused = (action: AlarmAction) => site.board.transact((tx) => tx.act(action, guard));
    await expect(refused({ alarm: id, type: 'close' })).rejects.toMatchObject({
      code: 'CONFLICT',
      hint: 'NOT_HANDLED',
    });
    await expect(refused({ alarm: id, type: 'accept', revision: revision - 1 })).rejects.toMatchObject({
      hint: 'STALE',
    });
    await expect(refused({ alarm: 'nothing', type: 'accept' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(
      refused({ alarm: id, type: 'merge', into: '01900000-0000-7000-8000-000000000000' }),
    ).rejects.toMatchObject({ hint: 'MERGE_TARGET' });
    expect(site.kinds()).toEqual(['raised']);
  });
});

test('a fire button goes from pressed to closed, each step in the journal with who and why', async () => {
  const site = await Site.open(dataDir());
  const { id } = await site.raise(event('button-1', 'fire.button'), { ...about('button-1'), cause: 'message-7' });
  await site.board.transact((tx) => tx.act({ alarm: id, type: 'acknowledge', note: '已看到' }, guard));
  await site.board.transact((tx) => tx.act({ alarm: id, type: 'reset', reason: '按钮已复位' }, guard));
  await site.board.transact((tx) => tx.act({ alarm: id, type: 'handle', result: '误碰，现场无火' }, guard));
  await site.board.transact((tx) => tx.act({ alarm: id, type: 'return', reason: '请附照片' }, manager));
  await site.board.transact((tx) => tx.act({ alarm: id, type: 'close', result: '误碰，照片已附' }, manager));
  expect(site.board.get(id)).toMatchObject({ handling: 'closed', condition: 'normal', result: '误碰，照片已附' });
  expect(site.board.open()).toEqual([]);
  expect(
    site.entries(id).map(({ kind, actor, lane, body }) => [kind, actor, lane, (body as { change: unknown }).change]),
  ).toEqual([
    ['alarm.raised', 'device:button-1', 0, { cause: 'message-7' }],
    ['alarm.acknowledged', 'user:li', 0, { note: '已看到', role: 'operator' }],
    ['alarm.reset', 'user:li', 0, { reason: '按钮已复位', role: 'operator' }],
    ['alarm.handled', 'user:li', 0, { result: '误碰，现场无火', role: 'operator' }],
    ['alarm.returned', 'user:wang', 0, { reason: '请附照片', role: 'manager' }],
    ['alarm.handled', 'user:wang', 0, { result: '误碰，照片已附', role: 'manager' }],
    ['alarm.closed', 'user:wang', 0, { role: 'manager' }],
  ]);
});

test('two detectors of one fire are merged by a person; the one that goes on does not ring while the case is open', async () => {
  const site = await Site.open(dataDir());
  const [a, b] = [await site.raise(level('a', 'fire.smoke')), await site.raise(level('b', 'fire.smoke'))];
  await site.board.transact((tx) => tx.act({ alarm: b.id, type: 'merge', into: a.id, reason: 'one flat' }, guard));
  expect(site.kinds(a.id)).toEqual(['raised', 'noted']);
  expect(await site.say(level('b', 'fire.smoke'))).toBeNull();
  expect(site.board.open().map(({ id }) => id)).toEqual([a.id]);
  await site.board.transact((tx) =>
    tx.act({ alarm: a.id, type: 'close', result: 'out', reason: 'smoke lingers' }, guard),
  );
  expect(await site.say(level('b', 'fire.smoke'))).toMatchObject({ previous: b.id, level: 1 });
});

test('what was closed although it goes on is remembered across a restart, until it is over', async () => {
  const dir = dataDir();
  const site = await Site.open(dir);
  const { id } = await site.raise(level('b', 'battery.low'));
  const close = { alarm: id, type: 'close', result: 'ordered', reason: 'comes on Friday' } as const;
  await site.board.transact((tx) => tx.act(close, guard));
  await site.close();
  const next = await Site.open(dir, { clock: rebooted(site.clock.wall() + MINUTE, 'second') });
  expect(next.board.open()).toEqual([]);
  expect(await next.say(level('b', 'battery.low'))).toBeNull();
  expect(next.board.matters(level('b', 'battery.low', false))).toBe(true);
  await next.say(level('b', 'battery.low', false));
  expect(next.board.matters(level('b', 'battery.low', false))).toBe(false);
  expect(await next.say(level('b', 'battery.low'))).toMatchObject({ previous: id });
});

describe('what people tell', () => {
  const report: Report = { channel: 'resident', place: '3/2', text: '楼道堆放杂物', reporter: '张女士' };

  test('is an alarm in the same ledger, with a receipt number that finds it', async () => {
    const site = await Site.open(dataDir());
    const alarm = await site.board.transact((tx) => tx.raise(report, guard));
    expect(alarm).toMatchObject({ channel: 'resident', level: 4, category: 'report.resident', count: 1 });
    const receipt = receiptNumber(alarm.id);
    expect(receipt).toMatch(/^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/);
    expect(site.board.search({ text: receipt, limit: 10 }).map(({ id }) => id)).toEqual([alarm.id]);
    expect(site.entries()).toMatchObject([{ kind: 'alarm.raised', actor: 'user:li', id: alarm.id }]);
  });

  test('twice is two alarms, and never one with what a device says', async () => {
    const site = await Site.open(dataDir());
    const fire: Report = {
      channel: 'phone',
      category: 'fire.smoke',
      device: 's',
      text: 'smoke in the stairs',
      level: 4,
    };
    await site.board.transact((tx) => tx.raise(fire, guard));
    await site.board.transact((tx) => tx.raise(fire, guard));
    await site.say(level('s', 'fire.smoke'));
    expect(site.board.open().map(({ level, count }) => [level, count])).toEqual(Array(3).fill([1, 1]));
  });

  test('is refused when it does not say what', async () => {
    const site = await Site.open(dataDir());
    const refused = site.board.transact((tx) => tx.raise({ channel: 'phone', text: ' ' }, guard));
    await expect(refused).rejects.toMatchObject({ code: 'BAD_REQUEST', where: 'text' });
  });

  test('a drill is marked as one, rings nothing and closes without a result', async () => {
    const site = await Site.open(dataDir());
    const what = drill({ category: 'fire.smoke', place: '3/2', text: '季度消防演练' });
    const alarm = await site.board.transact((tx) => tx.raise(what, manager));
    expect([alarm.drill, alarm.level, rings(alarm)]).toEqual([true, 1, false]);
    await site.board.transact((tx) => tx.act({ alarm: alarm.id, type: 'close' }, manager));
    expect(site.board.get(alarm.id)?.handling).toBe('closed');
  });
});
