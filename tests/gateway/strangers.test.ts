import { expect, test } from 'vitest';
import { SECRET as ROOM_SECRET } from '../broker/box.ts';
import { enter, RawClient } from '../broker/client.ts';
import { device, gatewayOf, hubOf, login, openAlarms } from './compound.ts';

const memory = async (api: (path: string) => Promise<unknown>) =>
  ((await api('/api/system')) as { memoryBytes: number }).memoryBytes;

test('a wrong password a thousand times: no entry, few records, and the devices of the site are served all the while', async () => {
  const gateway = await gatewayOf({
    devices: [device('door-1', 'face-oem-mqtt'), device('sos-1', 'zigbee-sos-button')],
  });
  await gateway.start();
  await login(gateway, 'door-1');
  let tried = 0;
  const codes = new Map<number, number>();
  const guess = async () => {
    while (tried < 1_000) {
      tried += 1;
      const stranger = await RawClient.open(gateway.ports.mqtt, '127.0.0.9');
      const password = Buffer.from(`guess-${tried}`);
      const answer = await stranger.login('door-1', { clientId: `stranger-${tried}`, password });
      const code = answer?.returnCode ?? -1;
      codes.set(code, (codes.get(code) ?? 0) + 1);
      stranger.socket.destroy();
    }
  };
  const guessing = Promise.all(Array.from({ length: 8 }, guess));
  const button = await login(gateway, 'sos-1');
  await button.published('zigbee2mqtt/sos-1', '{"action":"emergency"}');
  await guessing;
  expect(codes.has(0)).toBe(false);
  expect([...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(1_000);
  // Whose login is attacked is let in all the same: its secret was right before.
  const again = await login(gateway, 'door-1');
  await again.published('mqtt/face/door-1/Rec', '{"operator":"RecPush","info":{"RecordID":"1","VerifyStatus":"1"}}');
  const refused = await gateway.entries('session.refused');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(100);
  expect(await openAlarms(gateway)).toMatchObject([{ device: 'sos-1' }]);
}, 60_000);

test('a door that publishes as a button is thrown out and recorded; no alarm comes of it', async () => {
  const gateway = await gatewayOf({
    devices: [device('door-1', 'face-oem-mqtt'), device('sos-1', 'zigbee-sos-button')],
  });
  await gateway.start();
  const door = await login(gateway, 'door-1');
  await expect(door.published('zigbee2mqtt/sos-1', '{"action":"emergency"}')).rejects.toThrow('connection closed');
  expect(await openAlarms(gateway)).toEqual([]);
  expect((await gateway.entries('unknown')).at(-1)).toMatchObject({
    actor: 'device:door-1',
    body: { topic: 'zigbee2mqtt/sos-1' },
  });
});

test('topics of nobody, and of ten thousand levels, close their own connection and nothing else', async () => {
  const gateway = await gatewayOf({
    devices: [device('door-1', 'face-oem-mqtt'), device('sos-1', 'zigbee-sos-button')],
  });
  await gateway.start();
  const button = await login(gateway, 'sos-1');
  for (const topic of [
    'mqtt/face/door-1/Nonsense',
    'what/is/this',
    'l/'.repeat(10_000),
    `$SYS/${'x'.repeat(30_000)}`,
  ]) {
    const door = await login(gateway, 'door-1');
    await expect(door.published(topic, '{"operator":"RecPush"}'), topic.slice(0, 40)).rejects.toThrow(
      'connection closed',
    );
  }
  await button.published('zigbee2mqtt/sos-1', '{"action":"emergency"}');
  expect(await openAlarms(gateway)).toMatchObject([{ device: 'sos-1' }]);
  expect(await gateway.healthy()).toBe(true);
});

test('a subscriber that does not read is dropped; nobody waits for it and memory does not grow with it', async () => {
  const gateway = await gatewayOf({
    devices: [...hubOf(1, { secret: ROOM_SECRET }), device('smoke-1', 'zigbee-smoke-gas')],
  });
  await gateway.start();
  const deaf = await enter(gateway.ports.mqtt, 'hub-1', { clientId: 'deaf' });
  expect(await deaf.subscribe(['zigbee2mqtt/#'])).toEqual([1]);
  deaf.socket.pause();
  const before = await memory((path) => gateway.api(path));
  const hub = await enter(gateway.ports.mqtt, 'hub-1', { clientId: 'hub' });
  const pad = 'x'.repeat(100_000);
  for (let n = 0; n < 400; n += 1) await hub.published('zigbee2mqtt/sos-0', `{"battery":90,"pad":"${pad}"}`);
  const smoke = await login(gateway, 'smoke-1');
  await smoke.published('zigbee2mqtt/smoke-1', '{"smoke":true,"test":false}');
  expect(await openAlarms(gateway)).toMatchObject([{ device: 'smoke-1' }]);
  // 40 MB were said to it.
  expect((await memory((path) => gateway.api(path))) - before).toBeLessThan(100_000_000);
  deaf.socket.resume();
  await deaf.ended();
  expect(deaf.messages.length).toBeLessThan(400);
}, 60_000);

test('two thousand connections at once: all are served, and a button is heard among them', async () => {
  const doors = Array.from({ length: 125 }, (_, i) => `door-${i}`);
  const gateway = await gatewayOf({
    devices: [
      ...doors.map((id) => device(id, 'face-oem-mqtt', { secret: ROOM_SECRET })),
      device('sos-1', 'zigbee-sos-button'),
    ],
  });
  await gateway.start();
  const clients: { id: string; client: RawClient }[] = [];
  await Promise.all(
    doors.map(async (id) => {
      for (let n = 0; n < 16; n += 1) {
        clients.push({ id, client: await enter(gateway.ports.mqtt, id, { clientId: `${id}-${n}` }) });
      }
    }),
  );
  expect(clients).toHaveLength(2_000);
  const button = await login(gateway, 'sos-1');
  const pressed = performance.now();
  await button.published('zigbee2mqtt/sos-1', '{"action":"emergency"}');
  expect(performance.now() - pressed).toBeLessThan(1_000);
  const heartbeat = (id: string) => JSON.stringify({ operator: 'HeartBeat', info: { facesluiceId: id } });
  await Promise.all(clients.map(({ id, client }) => client.published('mqtt/face/heartbeat', heartbeat(id))));
  expect(await openAlarms(gateway)).toMatchObject([{ device: 'sos-1', count: 1 }]);
  expect(await gateway.healthy()).toBe(true);
}, 60_000);
