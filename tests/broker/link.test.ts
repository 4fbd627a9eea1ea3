import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Presence } from '../../src/broker/broker.ts';
import { device, secretHash, startBox, until } from './box.ts';
import { enter } from './client.ts';

const message = (topic: string, qos: 0 | 1 = 0) => ({ topic, payload: 'open', qos, retain: false });

test('a command reaches the device on the topic it listens to', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  await door.subscribe(['dev/door-1/cmd']);
  await box.broker.send('door-1', message('dev/door-1/cmd'));
  await until(() => door.texts.length === 1);
  expect(door.messages[0]).toMatchObject({ topic: 'dev/door-1/cmd', qos: 0, retain: false });
});

test('a command for a device that is away and cannot wait is refused', async () => {
  const box = await startBox();
  expect(box.broker.connected('door-1')).toBe(false);
  for (const qos of [0, 1] as const) {
    await expect(box.broker.send('door-1', message('dev/door-1/cmd', qos))).rejects.toMatchObject({
      code: 'DEVICE_OFFLINE',
    });
  }
});

test('a device that is there but does not listen is told apart from one that is away', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  await door.subscribe(['dev/door-1/other']);
  await expect(box.broker.send('door-1', message('dev/door-1/cmd'))).rejects.toMatchObject({
    code: 'DEVICE_OFFLINE',
    message: expect.stringContaining('door-1 does not listen to this topic'),
  });
});

test('a QoS 0 command does not wait even for a device that is remembered', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  await door.subscribe(['dev/door-1/cmd']);
  await door.kill();
  await until(() => !box.broker.connected('door-1'));
  await expect(box.broker.send('door-1', message('dev/door-1/cmd'))).rejects.toMatchObject({ code: 'DEVICE_OFFLINE' });
  await box.broker.send('door-1', message('dev/door-1/cmd', 1));
});

test('a device behind a hub is reached through it, and is as connected as it is', async () => {
  const box = await startBox({
    devices: [
      device('hub-1', { profile: 'hub', secretHash: secretHash() }),
      device('lamp-1', { profile: 'hub', hub: 'hub-1' }),
    ],
  });
  await expect(box.broker.send('lamp-1', message('hub/hub-1/lamp/set'))).rejects.toMatchObject({
    code: 'DEVICE_OFFLINE',
    message: expect.stringContaining('hub-1, the hub of lamp-1, is not connected'),
  });
  const hub = await enter(box.port, 'hub-1');
  await hub.subscribe(['hub/hub-1/#']);
  expect(box.broker.connected('lamp-1')).toBe(true);
  await box.broker.send('lamp-1', message('hub/hub-1/lamp/set'));
  await until(() => hub.texts.length === 1);
});

test('a device nobody registered, and what is no topic, are refused', async () => {
  const box = await startBox();
  await expect(box.broker.send('nobody', message('dev/nobody/cmd'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(box.broker.send('door-1', message('dev/+/cmd'))).rejects.toMatchObject({ code: 'BAD_REQUEST' });
});

test('coming and going is told once for each device, however many connections it has', async () => {
  const seen: string[] = [];
  const presence = ({ device: id, connected }: Presence) => seen.push(`${id} ${connected ? 'came' : 'went'}`);
  const box = await startBox({ parts: { presence } });
  const first = await enter(box.port, 'door-1', { clientId: 'a' });
  const second = await enter(box.port, 'door-1', { clientId: 'b' });
  const third = await enter(box.port, 'door-1', { clientId: 'b' });
  await second.ended();
  await first.disconnect();
  await third.kill();
  await until(() => seen.length === 2);
  expect(seen).toEqual(['door-1 came', 'door-1 went']);
});

test('a port that is taken is said, with what to do', async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void squatter.close());
  const { port } = squatter.address() as { port: number };
  await expect(
    startBox({ mqtt: { listen: ['mqtt://127.0.0.1:0', `mqtt://127.0.0.1:${port}`] } }),
  ).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    where: `mqtt://127.0.0.1:${port}`,
    hint: expect.stringContaining('ss -ltnp'),
  });
});

test('an address of another machine is a mistake in the configuration', async () => {
  await expect(startBox({ mqtt: { listen: ['mqtt://203.0.113.7:1883'] } })).rejects.toMatchObject({
    code: 'BAD_CONFIG',
  });
});

test('every address listens, and tells its real port', async () => {
  const box = await startBox({ mqtt: { listen: ['mqtt://127.0.0.1:0', 'mqtt://[::1]:0'] } });
  const [four, six] = box.broker.addresses.map(({ url }) => url);
  expect(four).toMatch(/^mqtt:\/\/127\.0\.0\.1:[1-9]\d*$/);
  expect(six).toMatch(/^mqtt:\/\/\[::1\]:[1-9]\d*$/);
});

test('after close nobody is connected and the port is free', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  await box.broker.close();
  await door.ended();
  await expect(enter(box.port, 'door-1')).rejects.toThrow('ECONNREFUSED');
});
