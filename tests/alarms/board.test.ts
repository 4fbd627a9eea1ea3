import { describe, expect, test } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { event, guard, level, manager, Site } from './site.ts';

describe('flood control', () => {
  test('two buttons pressed are two alarms', async () => {
    const site = await Site.open(dataDir());
    await Promise.all([site.say(event('button-1', 'fire.button')), site.say(event('button-2', 'fire.button'))]);
    expect(site.board.open().map(({ device, count, level }) => ({ device, count, level }))).toEqual([
      { device: 'button-1', count: 1, level: 1 },
      { device: 'button-2', count: 1, level: 1 },
    ]);
  });

  test('the same SOS ten times in a second is one alarm with count 10', async () => {
    const site = await Site.open(dataDir());
    for (let i = 0; i < 10; i += 1) {
      await site.say(event('sos-1', 'sos'));
      site.clock.advance(100);
    }
    expect(site.board.open()).toMatchObject([{ device: 'sos-1', count: 10, condition: 'active-unacknowledged' }]);
  });
});

test('a fire button goes from pressed to closed, each step in the journal with who and why', async () => {
  const site = await Site.open(dataDir());
  const { id } = await site.raise(event('button-1', 'fire.button'));
  await site.board.transact((tx) => tx.act({ alarm: id, type: 'acknowledge' }, guard));
  await site.board.transact((tx) => tx.act({ alarm: id, type: 'handle', result: '误碰，现场无火' }, guard));
  const closed = await site.board.transact((tx) => tx.act({ alarm: id, type: 'close' }, manager));
  expect(closed).toMatchObject({ handling: 'closed', condition: 'normal', result: '误碰，现场无火', closedBy: 'wang' });
  expect(site.kinds(id)).toEqual(['raised', 'acknowledged', 'handled', 'closed']);
  expect(site.board.open()).toEqual([]);
  expect(site.board.get(id)).toEqual(closed);
  expect(site.entries(id).map(({ actor, lane }) => [actor, lane])).toEqual([
    ['device:button-1', 0],
    ['user:li', 0],
    ['user:li', 0],
    ['user:wang', 0],
  ]);
});

test('a state clears by itself and waits for its acknowledgement', async () => {
  const site = await Site.open(dataDir());
  const { id } = await site.raise(level('door-1', 'door.held'));
  await site.say(level('door-1', 'door.held', false));
  expect(site.board.get(id)).toMatchObject({ condition: 'cleared-unacknowledged', handling: 'open' });
});
