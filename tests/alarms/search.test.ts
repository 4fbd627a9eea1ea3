import { describe, expect, test } from 'vitest';
import type { Alarm } from '../../src/alarms/alarm.ts';
import { forgetAlarms } from '../../src/alarms/forget.ts';
import type { AlarmFilter } from '../../src/alarms/search.ts';
import { dataDir } from '../support/data-dir.ts';
import { about, event, guard, level, manager, rebooted, Site } from './site.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const close = (site: Site, alarm: string, result = 'done') =>
  site.board.transact((tx) => tx.act({ alarm, type: 'close', result, reason: 'known' }, guard));

/** Rows as a compound has them after years, written straight into the table. */
async function years(site: Site, rows: number): Promise<void> {
  site.audited = false;
  await site.journal.write([
    {
      sql: `WITH RECURSIVE i(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM i WHERE k < ?)
        INSERT INTO alarms SELECT k, randomblob(16), 0, k * 60000, 'dev-' || (k % 500),
          CASE WHEN k % 1000 = 7 THEN 'fire.smoke' ELSE 'door.held' END, (k % 40) || '/' || (k % 6),
          CASE WHEN k % 1000 = 7 THEN 1 ELSE 3 END, 'closed', 'normal', 0, 0, 1, 1, k * 60000, k * 60000, NULL,
          k * 60000 + 30000, k * 60000 + 90000, NULL, 0, 4, 'level', 'device', 'Gate ' || (k % 500), NULL, 'li', 'li',
          'li', CASE WHEN k = 17 THEN 'a needle' ELSE 'done' END, NULL, NULL, '{}', '[]', 'li', 30000 FROM i`,
      params: [rows],
    },
  ]);
}

/** Every page of a search, one after the other. */
function everything(site: Site, filter: Omit<AlarmFilter, 'limit'>, limit = 7): Alarm[] {
  const found: Alarm[] = [];
  for (let before: string | undefined; ; ) {
    const { alarms, next } = site.board.page({ ...filter, limit, ...(before === undefined ? {} : { before }) });
    found.push(...alarms);
    if (next === null) return found;
    before = next;
  }
}

describe('searching', () => {
  test('finds by each of the filters, and by all together', async () => {
    const site = await Site.open(dataDir());
    const start = site.clock.wall();
    const climb = await site.raise(event('cam-1', 'intrusion.climb'), about('cam-1', 'north/1'));
    site.clock.advance(HOUR);
    const held = await site.raise(level('door-1', 'door.held'), about('door-1', 'south/1'));
    const smoke = await site.raise(
      level('s-1', 'fire.smoke', true, { detail: { zone: '厨房' } }),
      about('s-1', 'north/2'),
    );
    const drill = await site.raise(event('b-1', 'fire.button', { test: true }), about('b-1', 'north/1'));
    await close(site, held.id, 'door closed');
    const ids = (filter: Omit<AlarmFilter, 'limit'>) => everything(site, filter).map(({ id }) => id);
    expect(ids({})).toEqual([drill.id, smoke.id, held.id, climb.id]);
    expect(ids({ handling: ['open'] })).toEqual([drill.id, smoke.id, climb.id]);
    expect(ids({ handling: ['closed', 'false'] })).toEqual([held.id]);
    expect(ids({ level: [1, 2] })).toEqual([drill.id, smoke.id, climb.id]);
    expect(ids({ category: 'fire.*' })).toEqual([drill.id, smoke.id]);
    expect(ids({ category: 'fire.smoke' })).toEqual([smoke.id]);
    expect(ids({ category: 'no.such' })).toEqual([]);
    expect(ids({ device: 'cam-1' })).toEqual([climb.id]);
    expect(ids({ place: 'north' })).toEqual([drill.id, smoke.id, climb.id]);
    expect(ids({ text: '厨房' })).toEqual([smoke.id]);
    expect(ids({ text: 'door CLOSED' })).toEqual([held.id]);
    expect(ids({ text: '%' })).toEqual([]);
    expect(ids({ drill: false })).toEqual([smoke.id, held.id, climb.id]);
    expect(ids({ from: start + 1 })).toEqual([drill.id, smoke.id, held.id]);
    expect(ids({ to: start + 1 })).toEqual([climb.id]);
    expect(ids({ drill: false, level: [1], place: 'north', text: 's-1', from: start })).toEqual([smoke.id]);
  });

  test('pages through years without skipping or repeating, whatever it is narrowed by', {
    timeout: 60_000,
  }, async () => {
    const site = await Site.open(dataDir());
    await years(site, 60_000);
    const count = (filter: Omit<AlarmFilter, 'limit'>) => {
      const found = everything(site, filter, 500);
      expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
      expect(found.map(({ raisedAt }) => raisedAt)).toEqual(
        found.map(({ raisedAt }) => raisedAt).sort((a, b) => b - a),
      );
      return found.length;
    };
    expect(count({})).toBe(60_000);
    expect(count({ level: [1] })).toBe(60);
    expect(count({ device: 'dev-3' })).toBe(120);
    expect(count({ category: 'door.held', device: 'dev-7' })).toBe(60);
    expect(count({ place: '1' })).toBe(60_000 * (11 / 40));
    expect(count({ place: '1/' })).toBe(1_500);
    expect(count({ from: 1_000 * MINUTE, to: 2_000 * MINUTE })).toBe(1_000);
    expect(count({ text: 'a needle' })).toBe(1);
    expect(count({ handling: ['open'] })).toBe(0);
    expect(count({ drill: true })).toBe(0);
  });

  test('looks at a bounded number of rows for each page', async () => {
    const site = await Site.open(dataDir());
    await years(site, 60_000);
    const page = site.board.page({ text: 'not there', limit: 50 });
    expect(page.alarms).toEqual([]);
    expect(page.next).not.toBeNull();
  });

  test('past a page that names an alarm nobody knows there is nothing', async () => {
    const site = await Site.open(dataDir());
    await site.raise(event('a', 'sos'));
    expect(site.board.page({ limit: 5, before: '01900000-0000-7000-8000-000000000000' })).toEqual({
      alarms: [],
      next: null,
    });
  });

  test('a board starts from its open alarms, however many are closed', { timeout: 60_000 }, async () => {
    const dir = dataDir();
    const site = await Site.open(dir);
    await years(site, 100_000);
    await site.raise(event('a', 'sos'));
    await site.close();
    const next = await Site.open(dir, { clock: rebooted(site.clock.wall(), 'second') });
    next.audited = false;
    expect(next.board.open()).toMatchObject([{ device: 'a' }]);
    const plan = next.journal.select<{ detail: string }>(
      'EXPLAIN QUERY PLAN SELECT * FROM alarms WHERE live = 1 ORDER BY n',
    );
    expect(plan.map(({ detail }) => detail)).toEqual(['SEARCH alarms USING INDEX alarms_live (live=?)']);
  });

  test('what retention lets go of is closed and old, and nothing else', async () => {
    const site = await Site.open(dataDir());
    await years(site, 2_000);
    const open = await site.raise(event('a', 'sos'));
    const fresh = await site.raise(event('b', 'sos'));
    await close(site, fresh.id);
    expect(await forgetAlarms(site.journal, 1_000 * MINUTE)).toBe(998); // closed 90 s after they were raised
    expect(site.board.get(open.id)).not.toBeNull();
    expect(site.board.get(fresh.id)).not.toBeNull();
    expect(everything(site, {}, 500)).toHaveLength(1_004);
  });
});

describe('figures', () => {
  test('tell how quickly alarms are acknowledged and closed, by level', async () => {
    const site = await Site.open(dataDir());
    const from = site.clock.wall();
    for (let i = 1; i <= 20; i += 1) {
      const { id } = await site.raise(event(`cam-${i}`, 'intrusion.climb'));
      site.clock.advance(i * 1_000);
      await site.board.transact((tx) => tx.act({ alarm: id, type: 'acknowledge' }, guard));
      site.clock.advance(i * MINUTE);
      await close(site, id);
    }
    const { alarms, levels, falseRate, open } = await site.board.stats({ from, to: site.clock.wall() });
    expect([alarms, open, falseRate]).toEqual([20, 0, 0]);
    expect(levels[1]).toEqual({
      level: 2,
      alarms: 20,
      acknowledge: { p50: 10_000, p95: 19_000, measured: 20 },
      close: { p50: 10 * (MINUTE + 1_000), p95: 19 * (MINUTE + 1_000), measured: 20 },
      onTime: 1,
      escalated: 0,
    });
    expect(levels[0]?.acknowledge).toEqual({ p50: null, p95: null, measured: 0 });
  });

  test('an alarm that asks again is as slow as its slowest answer, not as quick as its last', async () => {
    const site = await Site.open(dataDir());
    const from = site.clock.wall();
    const { id } = await site.raise(event('call-point', 'fire.button'));
    const acknowledge = () => site.board.transact((tx) => tx.act({ alarm: id, type: 'acknowledge' }, guard));
    site.clock.advance(9 * MINUTE);
    await acknowledge();
    site.clock.advance(MINUTE);
    await site.say(event('call-point', 'fire.button'));
    site.clock.advance(1_000);
    await acknowledge();
    expect(site.board.get(id)).toMatchObject({ count: 2, answeredMs: 9 * MINUTE });
    const { acknowledge: figure } = await site.board.stats({ from, to: site.clock.wall() });
    expect(figure).toEqual({ p50: 9 * MINUTE, p95: 9 * MINUTE, measured: 1 });
  });

  test('tell who was late, which devices cry wolf or chatter, and what lies about', async () => {
    const site = await Site.open(dataDir());
    const from = site.clock.wall();
    for (let i = 0; i < 4; i += 1) {
      const { id } = await site.raise(event('cat-camera', 'intrusion.climb'));
      const deed =
        i < 3 ? ({ type: 'false', reason: 'a cat' } as const) : ({ type: 'close', result: 'a boy' } as const);
      await site.board.transact((tx) => tx.act({ alarm: id, ...deed }, manager));
      site.clock.advance(HOUR);
    }
    for (let i = 0; i < 12; i += 1) await site.say(event('stuck', 'fire.button'));
    await site.say(event('drill', 'fire.button', { test: true }));
    await site.say(event('late', 'fire.button', { replayed: true }));
    await site.pass(25 * HOUR, HOUR);
    const figures = await site.board.stats({ from, to: site.clock.wall() });
    expect(figures).toMatchObject({ alarms: 5, open: 1, stale: 1, falseRate: 3 / 4, truncated: false });
    expect(figures.top).toEqual([
      { device: 'cat-camera', name: 'Device cat-camera', alarms: 4, events: 4, false: 3, falseRate: 3 / 4 },
      { device: 'stuck', name: 'Device stuck', alarms: 1, events: 12, false: 0, falseRate: null },
    ]);
    expect(figures.mostFalse.map(({ device }) => device)).toEqual(['cat-camera']);
    expect(figures.chattering).toMatchObject([{ device: 'stuck', category: 'fire.button', count: 12 }]);
    expect(figures.levels[0]).toMatchObject({ alarms: 1, onTime: 0, escalated: 1 });
    expect(figures.levels[1]).toMatchObject({ alarms: 4, onTime: 1, escalated: 0 });
    expect(figures.categories).toEqual([
      { category: 'intrusion.climb', alarms: 4, events: 4 },
      { category: 'fire.button', alarms: 1, events: 12 },
    ]);
  });

  test('find the ten minutes with most alarms', async () => {
    const site = await Site.open(dataDir());
    const from = site.clock.wall();
    for (let i = 0; i < 30; i += 1) {
      await site.say(event(`d-${i}`, 'sos'));
      site.clock.advance(i < 10 ? MINUTE : 20 * MINUTE);
    }
    expect(await site.board.stats({ from, to: site.clock.wall() })).toMatchObject({ busiestTenMinutes: 10 });
  });

  test('of years are counted without holding up what comes meanwhile', { timeout: 60_000 }, async () => {
    const site = await Site.open(dataDir());
    await years(site, 60_000);
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    }, 1);
    const figures = await site.board.stats({ from: 0, to: 60_001 * MINUTE });
    clearInterval(ticking);
    expect(figures).toMatchObject({ alarms: 60_000, truncated: false });
    expect(figures.levels[0]).toMatchObject({ alarms: 60, onTime: 1, acknowledge: { p50: 30_000 } });
    expect(turns).toBeGreaterThan(20);
  });
});
