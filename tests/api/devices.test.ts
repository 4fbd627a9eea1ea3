import { expect, test } from 'vitest';
import { LoadClient } from '../support/mqtt-load.ts';
import { Box, until } from './box.ts';

interface Issued {
  device: { id: string; hasSecret: boolean; managed: string };
  secret: string;
}
const lock = { id: 'lock-1', profile: 'esphome-lock', name: '车库门', place: '车库B1' };

const connect = (box: Box, id: string, secret: string) =>
  LoadClient.connect({ port: box.mqttPort, clientId: id, username: id, password: secret });

test('a device is registered with a secret told once, gets a new one, and is removed: each time the old one is out', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  const { status, body } = await manager.post<Issued>('/api/devices', lock);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    device: { id: 'lock-1', hasSecret: true, managed: 'page' },
    secret: expect.any(String),
  });
  const told =
    JSON.stringify((await manager.get('/api/devices')).body) + JSON.stringify(box.journal.read({ limit: 99 }));
  expect(told).not.toContain(body.secret);
  expect(told).not.toContain('scrypt');

  const first = await connect(box, 'lock-1', body.secret);
  const doors = async () =>
    (await manager.get<{ doors: { id: string; connected: boolean }[] }>('/api/doors')).body.doors;
  expect(await doors()).toMatchObject([{ id: 'lock-1', name: '车库门', connected: true }]);
  const { body: renewed } = await manager.post<Issued>('/api/devices/lock-1/secret');
  let connected = true;
  for (let tries = 0; connected && tries < 100; tries += 1) {
    connected = (await doors())[0]?.connected === true;
  }
  expect(connected).toBe(false);
  first.end();
  await expect(connect(box, 'lock-1', body.secret)).rejects.toThrow();
  const second = await connect(box, 'lock-1', renewed.secret);

  expect((await manager.ask('DELETE', '/api/devices/lock-1', {})).status).toBe(400);
  expect((await manager.ask('DELETE', '/api/devices/lock-1', { reason: '拆除' })).status).toBe(200);
  second.end();
  await expect(connect(box, 'lock-1', renewed.secret)).rejects.toThrow();
  expect((await manager.get('/api/devices/lock-1')).status).toBe(404);
  const audit = box.journal.read({ subject: 'lock-1', limit: 99 }).map(({ kind, actor }) => `${kind} ${actor}`);
  expect(audit.filter((line) => line.endsWith('user:manager'))).toEqual([
    'device.registered user:manager',
    'device.updated user:manager',
    'device.removed user:manager',
  ]);
});

test('a device that does not fit is refused with what to do; one of the file is changed in the file', async () => {
  const box = await Box.start({
    settings: { devices: [{ id: 'sos-1', profile: 'zigbee-sos-button', secret: 'device-secret-1' }] },
  });
  const manager = await box.person('manager');
  const unknown = await manager.post('/api/devices', { ...lock, profile: 'nobody-makes-it' });
  expect(unknown).toMatchObject({ status: 400, body: { error: { hint: expect.stringContaining('esphome-lock') } } });
  expect((await manager.post('/api/devices', { ...lock, id: 'sos-1' })).status).toBe(409);
  expect((await manager.ask('PATCH', '/api/devices/sos-1', { name: '新名字' })).status).toBe(409);
  expect((await manager.post('/api/devices', { ...lock, secretHash: 'mine' })).status).toBe(400);
});

test('who knocks unknown is listed, never let in, and can be taken off the list', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  await expect(connect(box, 'stranger', 'whatever-secret')).rejects.toThrow();
  await until(() => box.registry.candidates().length === 1, 'the stranger is listed');
  const { body } = await manager.get('/api/candidates');
  expect(body).toMatchObject({ candidates: [{ via: null, key: 'stranger', count: 1 }] });
  const knock = { via: null, key: 'stranger' };
  expect((await manager.post('/api/candidates/dismiss', knock)).status).toBe(200);
  expect((await manager.post('/api/candidates/dismiss', knock)).status).toBe(404);
});

test('a door is opened with a reason, recorded before and after; without a reason it is not', async () => {
  const box = await Box.start();
  const guard = await box.person('operator', 'guard');
  await box.registry.register(lock, 'system');
  expect((await guard.post('/api/doors/lock-1/open', {})).status).toBe(400);
  expect((await guard.post('/api/doors/lock-1/open', { reason: '  ' })).status).toBe(400);
  expect((await guard.post('/api/doors/lock-9/open', { reason: '访客' })).status).toBe(404);
  const offline = await guard.post('/api/doors/lock-1/open', { reason: '访客' });
  expect(offline).toMatchObject({ status: 200, body: { ok: false, code: 'offline' } });
  const { body } = await guard.get<{ records: { kind: string; actor: string; body: unknown }[] }>(
    '/api/doors/lock-1/records',
  );
  expect(body.records).toMatchObject([
    { kind: 'door.result', body: { ok: false, code: 'offline' } },
    { kind: 'door.command', actor: 'user:guard', body: { reason: '访客', source: 'operator' } },
  ]);
});

test('every device model is told with what must be typed into the device', async () => {
  const box = await Box.start();
  const viewer = await box.person('viewer');
  const { body } = await viewer.get<{ profiles: { id: string; names: unknown }[] }>('/api/profiles');
  expect(body.profiles.length).toBeGreaterThanOrEqual(10);
  expect(body.profiles.find(({ id }) => id === 'esphome-lock')).toMatchObject({
    commands: expect.arrayContaining(['open']),
    isHub: false,
  });
});
