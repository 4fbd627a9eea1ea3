import { expect, test } from 'vitest';
import type { Alarm } from '../../src/alarms/alarm.ts';
import type { Related, Told } from '../../src/page/views/alarm/types.ts';
import { Centre, Reader } from '../upstream/centre.ts';
import { Box } from './box.ts';
import { reportingTo } from './upstream.ts';

const camera = (id: string, place: string) => ({ id, url: 'rtsp://127.0.0.1/none', name: id, place, fences: [] });

/** A fire at 1号楼/大厅, what came before it, and a door of the same building that was opened. */
async function fire(box: Box): Promise<Alarm> {
  const before = await box.say('smoke-1', 'fire.smoke', { kind: 'level' });
  const operator = await box.person('operator');
  const closed = await operator.post(`/api/alarms/${before.id}/false`, { reason: '做饭' });
  expect(closed.status).toBe(200);
  await box.say('smoke-1', 'fire.smoke', { kind: 'level', active: false });
  const alarm = await box.say('smoke-1', 'fire.smoke', { kind: 'level' });
  await box.say('button-9', 'fire.button');
  await box.journal.append([
    { id: box.newId(), kind: 'door.command', actor: 'system', subject: 'smoke-1', lane: 2, body: { command: 'open' } },
  ]);
  const [command, again] = [box.newId(), box.newId()];
  await box.journal.append([
    { id: command, kind: 'door.command', actor: 'system', subject: 'door-1', lane: 2, body: { alarm: alarm.id } },
    {
      kind: 'door.result',
      actor: 'system',
      subject: 'door-1',
      lane: 2,
      body: { command, ok: true, code: 'opened', detail: '', ms: 40 },
    },
    // It came again, and opened it again.
    { id: again, kind: 'door.command', actor: 'system', subject: 'door-1', lane: 2, body: { alarm: alarm.id } },
    {
      kind: 'door.result',
      actor: 'system',
      subject: 'door-1',
      lane: 2,
      body: { command: again, ok: false, code: 'timeout', detail: '', ms: 900 },
    },
    {
      kind: 'door.result',
      actor: 'system',
      subject: 'door-2',
      lane: 2,
      body: { ok: false, code: 'stale', alarm: alarm.id },
    },
  ]);
  return alarm;
}

test('what happened around an alarm: others there, earlier ones, released doors, near cameras; door records for operators only', async () => {
  const cameras = [camera('far', '9号楼/大厅'), camera('near', '1号楼/车库'), camera('here', '1号楼/大厅')];
  const box = await Box.start({ settings: { cameras } });
  const alarm = await fire(box);
  const path = `/api/alarms/${alarm.id}/related`;
  const { body } = await (await box.signIn('operator', 'a-password-of-the-test')).get<Related>(path);
  expect(body.alarms.map(({ device }) => device).sort()).toEqual(['button-9', 'smoke-1']);
  expect(body.earlier.map(({ device, handling }) => [device, handling])).toEqual([['smoke-1', 'false']]);
  expect(body.linkage.map(({ door, ok, code, ms }) => [door, ok, code, ms])).toEqual([
    ['door-1', true, 'opened', 40],
    ['door-1', false, 'timeout', 900],
    ['door-2', false, 'stale', null],
  ]);
  expect(body.cameras.map(({ id, near }) => [id, near])).toEqual([
    ['here', 'place'],
    ['near', 'area'],
  ]);
  expect(body.doors?.map(({ entry }) => entry.kind)).toEqual(['door.command']);
  const viewer = await (await box.person('viewer')).get<Related>(path);
  expect(viewer.body.doors).toBeNull();
  const nothing = await (await box.signIn()).get(`/api/alarms/${box.newId()}/related`);
  expect(nothing.status).toBe(404);
});

test('what the centre was told of an alarm: waiting, taken without a receipt, confirmed, refused for good', async () => {
  // The reader has been there before: what comes while it is not is kept for it.
  const centre = await Centre.start();
  const reader = await Reader.connect(centre.port);
  await centre.stop();
  const box = await Box.start(reportingTo(centre));
  const alarm = await box.say('button-9', 'fire.button');
  const operator = await box.person('operator');
  const told = async () => (await operator.get<Told>(`/api/alarms/${alarm.id}/upstream`)).body;
  const states = async () => (await told()).entries.map(({ kind, state }) => `${kind} ${state}`);
  expect(await told()).toMatchObject({ configured: true, confirm: 'receipt', connected: false });
  expect(await states()).toEqual(['alarm.raised waiting']);
  await centre.start();
  await expect.poll(states, { timeout: 15_000 }).toEqual(['alarm.raised taken']);
  await expect.poll(() => reader.events().length, { timeout: 10_000 }).toBeGreaterThan(0);
  const judge = (result: string, reason?: string) => {
    const ids = [reader.events().at(-1)?.event.id];
    return reader.publish('quanwei/v1/longquan/spring-garden/receipt', JSON.stringify({ ids, result, reason }));
  };
  await judge('accepted');
  await expect.poll(states).toEqual(['alarm.raised confirmed']);
  const [first] = (await told()).entries;
  expect(first?.at).toBeGreaterThan(alarm.raisedAt - 1);
  await operator.post(`/api/alarms/${alarm.id}/acknowledge`);
  await expect.poll(() => reader.events().length, { timeout: 10_000 }).toBe(2);
  await judge('rejected', '格式不符');
  await expect.poll(states).toEqual(['alarm.raised confirmed', 'alarm.acknowledged rejected']);
  expect((await told()).entries[1]?.reason).toBe('格式不符');
  const upstream = (await operator.get<{ receipts: { rejected: string | null }[] }>('/api/upstream')).body;
  expect(upstream.receipts.map(({ rejected }) => rejected)).toEqual(['格式不符', null]);
});

test('without a centre nothing was told', async () => {
  const box = await Box.start();
  const alarm = await box.say('button-9', 'fire.button');
  const { body } = await (await box.signIn()).get<Told>(`/api/alarms/${alarm.id}/upstream`);
  expect(body).toEqual({ configured: false, confirm: null, connected: false, entries: [] });
});

test('orders of the centre with their answers, newest first, a page at a time, for operators', async () => {
  const box = await Box.start();
  const order = (id: string, more: object) => ({
    kind: 'order.received' as const,
    actor: 'centre',
    subject: id,
    body: { order: { id, by: '张指挥', ...more } },
  });
  await box.journal.append([
    order('o-1', { type: 'open-door', door: 'door-1', reason: '救护车' }),
    {
      kind: 'order.replied',
      actor: 'system',
      subject: 'o-1',
      lane: 2,
      body: {
        order: { id: 'o-1', type: 'open-door' },
        ok: false,
        code: 'DEVICE_OFFLINE',
        detail: 'door-1 is not connected',
      },
    },
    order('o-2', { type: 'ping' }),
  ]);
  const operator = await box.person('operator');
  const first = (await operator.get<{ orders: object[]; next: number }>('/api/upstream/orders?limit=1')).body;
  expect(first.orders).toMatchObject([{ id: 'o-2', type: 'ping', answer: null }]);
  const second = (await operator.get<{ orders: object[]; next: null }>(`/api/upstream/orders?before=${first.next}`))
    .body;
  expect(second).toMatchObject({
    orders: [
      { id: 'o-1', by: '张指挥', subject: 'door-1', text: '救护车', answer: { ok: false, code: 'DEVICE_OFFLINE' } },
    ],
    next: null,
  });
  expect((await (await box.person('viewer')).get('/api/upstream/orders')).status).toBe(403);
});
