import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { event, guard, level, rebooted, Site } from './site.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What the directory would be after the power went now: the files as they are, without anybody closing them. */
function powerCut(dir: string): string {
  const copy = dataDir();
  for (const file of ['quanwei.db', 'quanwei.db-wal']) cpSync(`${dir}/${file}`, `${copy}/${file}`);
  return copy;
}

const escalations = (site: Site, id?: string) =>
  site
    .entries(id)
    .filter(({ kind }) => kind === 'alarm.escalated')
    .map(({ body }) => (body as { change: { deadline: string; to: string } }).change)
    .map(({ deadline, to }) => `${deadline} → ${to}`);

const act = (site: Site, alarm: string, type: 'acknowledge' | 'accept') =>
  site.board.transact((tx) => tx.act({ alarm, type }, guard));

describe('deadlines', () => {
  test('unacknowledged past its deadline is told to the next in line, each time it is missed again', async () => {
    const site = await Site.open(dataDir());
    const { id } = await site.raise(event('climb', 'intrusion.climb'));
    await site.pass(5 * MINUTE - 2_000);
    expect(escalations(site)).toEqual([]);
    await site.pass(3_000);
    expect(escalations(site)).toEqual(['acknowledge → manager']);
    await site.pass(5 * MINUTE + 1_000);
    expect(escalations(site)).toEqual(['acknowledge → manager', 'acknowledge → centre']);
    await site.pass(HOUR, MINUTE);
    expect(escalations(site)).toHaveLength(2);
    expect(site.board.get(id)).toMatchObject({ escalations: 2, level: 2 });
  });

  test('a level-1 alarm nobody acknowledges is told for ever, more and more seldom', async () => {
    const site = await Site.open(dataDir());
    await site.raise(event('sos', 'sos'));
    await site.pass(DAY, MINUTE);
    const told = escalations(site).filter((one) => one.startsWith('acknowledge'));
    expect(told.slice(0, 3)).toEqual(['acknowledge → manager', 'acknowledge → centre', 'acknowledge → centre']);
    expect(told.length).toBeGreaterThan(24);
    expect(told.length).toBeLessThan(35);
  });

  test('acknowledged in time, it escalates only for not being closed', async () => {
    const site = await Site.open(dataDir());
    const { id } = await site.raise(event('sos', 'sos'));
    await act(site, id, 'acknowledge');
    await site.pass(2 * HOUR + MINUTE, MINUTE);
    expect(escalations(site)).toEqual(['close → manager']);
  });

  test('closed, it waits for nothing', async () => {
    const site = await Site.open(dataDir());
    const { id } = await site.raise(event('sos', 'sos'));
    await site.board.transact((tx) => tx.act({ alarm: id, type: 'close', result: 'done' }, guard));
    await site.pass(DAY, HOUR);
    expect(escalations(site)).toEqual([]);
    expect(site.journal.select('SELECT * FROM deadlines')).toEqual([]);
  });

  test('asking again sets the deadline again', async () => {
    const site = await Site.open(dataDir());
    const { id } = await site.raise(event('climb', 'intrusion.climb'));
    await act(site, id, 'acknowledge');
    await site.pass(4 * MINUTE);
    await site.say(event('climb', 'intrusion.climb'));
    await site.pass(4 * MINUTE);
    expect(escalations(site)).toEqual([]);
    await site.pass(MINUTE + 1_000);
    expect(escalations(site)).toEqual(['acknowledge → manager']);
  });

  test('practice is never escalated; what is told late only for not being closed', async () => {
    const site = await Site.open(dataDir());
    const drill = await site.raise(event('a', 'fire.button', { test: true }));
    const late = await site.raise(event('b', 'fire.button', { replayed: true }));
    await site.pass(3 * HOUR, MINUTE);
    expect(escalations(site, drill.id)).toEqual([]);
    expect(escalations(site, late.id)).toEqual(['close → manager']);
  });

  test('shelving ends by itself, also across a restart, and the alarm asks again', async () => {
    const dir = dataDir();
    const site = await Site.open(dir);
    const { id } = await site.raise(level('door', 'door.held'));
    const until = site.clock.wall() + HOUR;
    await site.board.transact((tx) => tx.act({ alarm: id, type: 'shelve', until, reason: 'moving house' }, guard));
    await site.pass(50 * MINUTE, MINUTE);
    expect(escalations(site)).toEqual([]);
    await site.close();
    const next = await Site.open(dir, { clock: rebooted(site.clock.wall(), 'second') });
    await next.pass(10 * MINUTE, MINUTE);
    expect(next.board.get(id)).toMatchObject({ shelvedUntil: null, condition: 'active-unacknowledged' });
    expect(next.kinds(id).at(-1)).toBe('unshelved');
    await next.pass(31 * MINUTE, MINUTE);
    expect(escalations(next)).toEqual(['acknowledge → manager']);
  });

  test('a level with no deadlines in the configuration has none', async () => {
    const site = await Site.open(dataDir(), { settings: { levels: { 1: { acknowledge: '60s' } } } });
    await site.raise(event('climb', 'intrusion.climb'));
    await site.pass(3 * DAY, HOUR);
    expect(escalations(site)).toEqual([]);
  });

  test('two thousand overdue at once are all told', async () => {
    const site = await Site.open(dataDir());
    await Promise.all(Array.from({ length: 2_000 }, (_, i) => site.say(event(`b${i}`, 'sos'))));
    await site.pass(62_000, 31_000);
    await site.pass(3_000);
    expect(escalations(site)).toHaveLength(2_000);
  });
});

describe('across a restart', () => {
  test('a deadline that passed while the power was off is told when it is back', async () => {
    const dir = dataDir();
    const site = await Site.open(dir);
    const { id } = await site.raise(event('sos', 'sos'));
    site.clock.advance(30_000);
    const next = await Site.open(powerCut(dir), { clock: rebooted(site.clock.wall() + 10 * MINUTE, 'second') });
    expect(escalations(next)).toEqual([]);
    await next.escalation.look();
    expect(escalations(next, id)).toEqual(['acknowledge → manager']);
  });

  test('a deadline that has not passed keeps its time', async () => {
    const dir = dataDir();
    const site = await Site.open(dir);
    await site.raise(event('sos', 'sos'));
    await site.pass(30_000);
    const next = await Site.open(powerCut(dir), { clock: rebooted(site.clock.wall() + 5_000, 'second') });
    await next.pass(24_000);
    expect(escalations(next)).toEqual([]);
    await next.pass(2_000);
    expect(escalations(next)).toEqual(['acknowledge → manager']);
  });

  test('what was told before is not told again', async () => {
    const dir = dataDir();
    const site = await Site.open(dir);
    await site.raise(event('climb', 'intrusion.climb'));
    await site.pass(5 * MINUTE + 1_000);
    const next = await Site.open(powerCut(dir), { clock: rebooted(site.clock.wall(), 'second') });
    await next.pass(4 * MINUTE);
    expect(escalations(next)).toEqual(['acknowledge → manager']);
    await next.pass(2 * MINUTE);
    expect(escalations(next)).toEqual(['acknowledge → manager', 'acknowledge → centre']);
  });
});

describe('the wall clock is stepped', () => {
  for (const [name, ms] of [
    ['ten years ahead', 10 * 365 * DAY],
    ['ten minutes ahead', 10 * MINUTE],
    ['to 1970', -Date.UTC(2026, 5, 1, 4)],
    ['an hour back', -HOUR],
  ] as const) {
    test(`${name}: what was due in forty seconds still is`, async () => {
      const site = await Site.open(dataDir());
      const { id } = await site.raise(event('sos', 'sos'));
      await site.pass(20_000);
      site.clock.stepWall(site.clock.wall() + ms);
      await site.pass(38_000);
      expect(escalations(site)).toEqual([]);
      await site.pass(3_000);
      expect(escalations(site, id)).toEqual(['acknowledge → manager']);
    });
  }

  test('and back again: nothing is told twice and nothing is forgotten', async () => {
    const site = await Site.open(dataDir());
    await site.raise(event('climb', 'intrusion.climb'));
    for (let i = 0; i < 4; i += 1) {
      site.clock.stepWall(site.clock.wall() + (i % 2 === 0 ? DAY : -DAY));
      await site.pass(MINUTE);
    }
    expect(escalations(site)).toEqual([]);
    await site.pass(MINUTE + 1_000);
    expect(escalations(site)).toEqual(['acknowledge → manager']);
  });

  test('an alarm raised right after the step, before anybody noticed, has its full time and no more', async () => {
    for (const ms of [DAY, -DAY]) {
      const site = await Site.open(dataDir());
      await site.raise(event('climb', 'intrusion.climb'));
      site.clock.stepWall(site.clock.wall() + ms);
      const { id } = await site.raise(event('sos', 'sos'));
      await site.pass(58_000);
      expect(escalations(site)).toEqual([]);
      await site.pass(3_000);
      expect(escalations(site)).toEqual(['acknowledge → manager']);
      expect(escalations(site, id)).toHaveLength(1);
    }
  });

  test('while the reference is just being renewed: it is one step, not two', async () => {
    const site = await Site.open(dataDir());
    await site.raise(event('climb', 'intrusion.climb'));
    await site.pass(59_000);
    site.clock.advance(1_500);
    const renewing = site.escalation.look();
    site.clock.stepWall(site.clock.wall() + 2 * MINUTE);
    await renewing;
    await site.pass(3 * MINUTE + 55_000);
    expect(escalations(site)).toEqual([]);
    await site.pass(10_000);
    expect(escalations(site)).toEqual(['acknowledge → manager']);
  });

  test('shelving moves with it, and says so', async () => {
    const site = await Site.open(dataDir());
    const { id } = await site.raise(level('door', 'door.held'));
    const until = site.clock.wall() + HOUR;
    await site.board.transact((tx) => tx.act({ alarm: id, type: 'shelve', until, reason: 'x' }, guard));
    site.clock.stepWall(site.clock.wall() + DAY);
    await site.pass(30 * MINUTE, MINUTE);
    expect(site.board.get(id)).toMatchObject({ shelvedUntil: until + DAY });
    expect(site.entries(id).at(-1)).toMatchObject({ kind: 'alarm.shelved', body: { change: { stepMs: DAY } } });
    await site.pass(30 * MINUTE, MINUTE);
    expect(site.board.get(id)?.shelvedUntil).toBeNull();
  });

  test('the power goes in the second before anybody noticed the step: only an entry has seen it', async () => {
    const dir = dataDir();
    const site = await Site.open(dir);
    await site.raise(event('sos', 'sos'));
    site.clock.stepWall(site.clock.wall() + DAY);
    await site.journal.append([{ kind: 'system.backup', actor: 'system', subject: null, body: {} }]);
    const next = await Site.open(powerCut(dir), { clock: rebooted(site.clock.wall() + 5_000, 'second') });
    await next.pass(50_000);
    expect(escalations(next)).toEqual([]);
    await next.pass(6_000);
    expect(escalations(next)).toEqual(['acknowledge → manager']);
  });

  test('while the box was off, to 1970 and an hour later right again: deadlines stay relative', async () => {
    const dir = dataDir();
    const site = await Site.open(dir);
    await site.raise(event('climb', 'intrusion.climb'));
    await site.pass(MINUTE);
    const right = site.clock.wall();
    const clock = rebooted(0, 'second');
    clock.setState('unsynced');
    const next = await Site.open(powerCut(dir), { clock });
    await next.pass(2 * MINUTE);
    clock.stepWall(right + HOUR);
    clock.setState('synced');
    await next.pass(MINUTE);
    expect(escalations(next)).toEqual([]);
    await next.pass(MINUTE + 1_000);
    expect(escalations(next)).toEqual(['acknowledge → manager']);
  });

  test('a box that starts in 2099 with nobody to vouch for it does not tell everybody everything', async () => {
    const dir = dataDir();
    const site = await Site.open(dir);
    await site.raise(event('climb', 'intrusion.climb'));
    await site.raise(level('door', 'door.held'));
    const clock = rebooted(Date.UTC(2099, 0, 1), 'second');
    clock.setState('unsynced');
    const next = await Site.open(powerCut(dir), { clock });
    await next.pass(4 * MINUTE);
    expect(escalations(next)).toEqual([]);
    await next.pass(MINUTE + 1_000);
    expect(escalations(next)).toEqual(['acknowledge → manager']);
  });

  test('a box without any time source that restarts every ten seconds still escalates', async () => {
    let dir = dataDir();
    let clock = rebooted(Date.UTC(2026, 5, 1), 'boot-0');
    clock.setState('unsynced');
    let site = await Site.open(dir, { clock });
    await site.raise(event('sos', 'sos'));
    for (let i = 1; i <= 7; i += 1) {
      await site.pass(9_000);
      dir = powerCut(dir);
      clock = rebooted(site.clock.wall() + 1_000, `boot-${i}`);
      clock.setState('unsynced');
      await site.close();
      site = await Site.open(dir, { clock });
      await site.escalation.look();
    }
    expect(escalations(site)).toEqual(['acknowledge → manager']);
  });
});
