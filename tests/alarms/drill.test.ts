import { expect, test } from 'vitest';
import { rings } from '../../src/alarms/alarm.ts';
import { drill } from '../../src/alarms/reports.ts';
import { dataDir } from '../support/data-dir.ts';
import { about, event, guard, level, manager, rebooted, Site } from './site.ts';

const MINUTE = 60_000;

const begin = (site: Site, place = '3/') =>
  site.board.transact((tx) =>
    tx.raise(drill({ category: 'fire.button', place, text: '季度消防演练', minutes: 30 }), manager),
  );
const press = (site: Site, device: string, place: string) =>
  site.raise(event(device, 'fire.button'), about(device, place));

test('while a drill is on, what devices at its place report of its kind is practice; all else is real', async () => {
  const site = await Site.open(dataDir());
  await begin(site);
  const practised = await press(site, 'a', '3/2');
  expect([practised.drill, practised.level, rings(practised)]).toEqual([true, 1, false]);
  const smoke = await site.raise(level('s', 'fire.smoke'), about('s', '3/1'));
  const elsewhere = await press(site, 'b', '4/1');
  const sos = await site.raise(event('c', 'sos'), about('c', '3/2'));
  expect([smoke.drill, elsewhere.drill, sos.drill]).toEqual([true, false, false]);
  expect(site.entries().map(({ lane }) => lane)).toEqual([1, 1, 1, 0, 0]);
});

test('a drill ends by itself, says so, and the next button rings', async () => {
  const site = await Site.open(dataDir());
  const { id } = await begin(site);
  await site.pass(30 * MINUTE - 1_000, MINUTE);
  expect((await press(site, 'a', '3/2')).drill).toBe(true);
  await site.pass(2_000);
  expect(site.board.get(id)).toMatchObject({ handling: 'closed', closedBy: 'system' });
  expect(site.kinds(id)).toEqual(['raised', 'closed']);
  const real = await press(site, 'a', '3/2');
  expect([real.drill, real.count, rings(real)]).toEqual([false, 1, true]);
});

test('a drill whose time is over is over, even before anybody has entered it', async () => {
  const site = await Site.open(dataDir());
  await begin(site);
  site.clock.advance(30 * MINUTE);
  expect((await press(site, 'a', '3/2')).drill).toBe(false);
});

test('a drill closed by a person is over at once', async () => {
  const site = await Site.open(dataDir());
  const { id } = await begin(site);
  await site.board.transact((tx) => tx.act({ alarm: id, type: 'close' }, guard));
  expect((await press(site, 'a', '3/2')).drill).toBe(false);
});

test('a drill goes on across a restart and a step of the clock, and for no longer', async () => {
  const dir = dataDir();
  const site = await Site.open(dir);
  await begin(site, '');
  await site.pass(10 * MINUTE, MINUTE);
  await site.close();
  const next = await Site.open(dir, { clock: rebooted(site.clock.wall(), 'second') });
  next.clock.stepWall(next.clock.wall() + 86_400_000);
  await next.pass(19 * MINUTE, MINUTE);
  expect((await press(next, 'a', '3/2')).drill).toBe(true);
  await next.pass(2 * MINUTE, MINUTE);
  expect((await press(next, 'a', '3/2')).drill).toBe(false);
});

test('one that only marks the occasion leaves every device real', async () => {
  const site = await Site.open(dataDir());
  await site.board.transact((tx) =>
    tx.raise(drill({ category: 'fire.button', place: '', text: 'table-top' }), manager),
  );
  expect((await press(site, 'a', '3/2')).drill).toBe(false);
  const longer = site.board.transact((tx) => tx.raise({ channel: 'phone', text: 'x', minutes: 5 }, guard));
  await expect(longer).rejects.toMatchObject({ code: 'BAD_REQUEST', where: 'minutes' });
});
