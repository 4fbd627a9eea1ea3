import { expect, test } from 'vitest';
import type { Alarm } from '../../src/alarms/alarm.ts';
import { testOf } from '../../src/alarms/device-test.ts';
import type { Transaction } from '../../src/alarms/transaction.ts';
import { Box } from './box.ts';

test('a device is tried out by a manager: what it says is practice, ending it closes what it said', async () => {
  const box = await Box.start();
  const [manager, guard] = [await box.person('manager'), await box.person('operator', 'guard')];
  await box.registry.register({ id: 'btn-1', profile: 'tasmota-contact', name: '手报', place: '1号楼/大厅' }, 'system');
  expect((await guard.post('/api/devices/btn-1/test', {})).status).toBe(403);
  const begun = await manager.post<Alarm>('/api/devices/btn-1/test', { minutes: 5 });
  expect(begun.body).toMatchObject({
    channel: 'drill',
    drill: true,
    device: 'btn-1',
    category: 'fire.button',
    result: null,
  });
  expect((await manager.post('/api/devices/btn-1/test', {})).status).toBe(409);

  const pressed = await box.say('btn-1', 'fire.button');
  expect(pressed.drill).toBe(true);
  const ended = await manager.post<Alarm>('/api/devices/btn-1/test/end', {});
  expect(ended.body).toMatchObject({
    id: begun.body.id,
    handling: 'closed',
    result: expect.stringContaining('已收到'),
  });
  expect(box.board.get(pressed.id)).toMatchObject({ handling: 'closed', closedBy: 'manager' });
  expect((await manager.post('/api/devices/btn-1/test/end', {})).status).toBe(409);

  await manager.post('/api/devices/btn-1/test', { minutes: 1 });
  const unheard = await manager.post<Alarm>('/api/devices/btn-1/test/end', {});
  expect(unheard.body.result).toContain('未收到');
  expect((await box.say('btn-1', 'fire.button')).drill).toBe(false);
});

test('of several who press at the same moment one begins the test, and one ends it', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  await box.registry.register({ id: 'btn-1', profile: 'tasmota-contact', name: '手报', place: '1号楼/大厅' }, 'system');
  const several = (path: string) => Promise.all([1, 2, 3, 4].map(() => manager.post<Alarm>(path, {})));
  const statuses = (given: { status: number }[]) => given.map(({ status }) => status).sort();
  const begun = await several('/api/devices/btn-1/test');
  expect(statuses(begun)).toEqual([200, 409, 409, 409]);
  const drill = begun.find(({ status }) => status === 200)?.body;
  expect(box.board.open().map(({ id }) => id)).toEqual([drill?.id]);
  expect(statuses(await several('/api/devices/btn-1/test/end'))).toEqual([200, 409, 409, 409]);
  // For certain in one commit, whatever the network does to requests.
  const work = (tx: Transaction) => {
    if (tx.testUnderWay('btn-1') !== null) throw new Error('already');
    return tx.raise(testOf({ id: 'btn-1', name: '', place: '' }, 'fire.button', 1), {
      actor: 'system',
      role: 'system',
    });
  };
  const both = await Promise.allSettled([box.board.transact(work), box.board.transact(work)]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
});

test('what reports nothing by itself, or is switched off, is not tested', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  await box.registry.register({ id: 'hub-1', profile: 'zigbee2mqtt-hub' }, 'system');
  await box.registry.register({ id: 'btn-1', profile: 'tasmota-contact', enabled: false }, 'system');
  expect((await manager.post('/api/devices/hub-1/test', {})).status).toBe(409);
  expect((await manager.post('/api/devices/btn-1/test', {})).status).toBe(409);
  expect((await manager.post('/api/devices/nobody/test', {})).status).toBe(404);
  expect((await manager.post('/api/devices/btn-1/test', { minutes: 600 })).status).toBe(400);
});
