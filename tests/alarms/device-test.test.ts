import { expect, test } from 'vitest';
import { rings } from '../../src/alarms/alarm.ts';
import { testOf } from '../../src/alarms/device-test.ts';
import { dataDir } from '../support/data-dir.ts';
import { about, event, level, manager, rebooted, Site } from './site.ts';

const MINUTE = 60_000;
const begin = (site: Site, device = 'sos-3') =>
  site.board.transact((tx) => tx.raise(testOf({ id: device, name: '3 号楼按钮', place: '3/1' }, 'sos', 5), manager));

test('what a device under test reports is practice, and the test says that it was heard; its neighbour is real', async () => {
  const site = await Site.open(dataDir());
  const { id } = await begin(site);
  const pressed = await site.raise(event('sos-3', 'sos'), about('sos-3', '3/1'));
  expect([pressed.drill, pressed.level, rings(pressed)]).toEqual([true, 1, false]);
  const neighbour = await site.raise(event('sos-4', 'sos'), about('sos-4', '3/1'));
  expect([neighbour.drill, rings(neighbour)]).toEqual([false, true]);
  expect(site.board.get(id)).toMatchObject({ handling: 'open', result: expect.stringContaining('已收到') });
  await site.pass(5 * MINUTE + 1_000, MINUTE);
  expect(site.board.get(id)).toMatchObject({ handling: 'closed', result: expect.stringContaining('已收到') });
  expect(site.kinds(id)).toEqual(['raised', 'noted', 'closed']);
  const real = await site.raise(event('sos-3', 'sos'), about('sos-3', '3/1'));
  expect([real.drill, rings(real)]).toEqual([false, true]);
});

test('whatever it is there for is covered, whatever kind it was thought to be; its own silence and battery stay real', async () => {
  const site = await Site.open(dataDir());
  await begin(site);
  const smoke = await site.raise(level('sos-3', 'fire.smoke'), about('sos-3', '3/1'));
  const offline = await site.raise(level('sos-3', 'device.offline'), about('sos-3', '3/1'));
  const battery = await site.raise(level('sos-3', 'battery.low'), about('sos-3', '3/1'));
  expect([smoke.drill, offline.drill, battery.drill]).toEqual([true, false, false]);
});

test('a test in which nothing is heard says so, also after a restart', async () => {
  const dir = dataDir();
  const site = await Site.open(dir);
  const { id } = await begin(site);
  await site.pass(2 * MINUTE, MINUTE);
  await site.close();
  const next = await Site.open(dir, { clock: rebooted(site.clock.wall(), 'second') });
  await next.pass(3 * MINUTE + 1_000, MINUTE);
  expect(next.board.get(id)).toMatchObject({
    handling: 'closed',
    closedBy: 'system',
    result: expect.stringContaining('未收到'),
  });
});
