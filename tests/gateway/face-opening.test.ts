import mqtt, { type MqttClient } from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { device, eventually, gatewayOf, SECRET } from './compound.ts';

async function client(gateway: GatewayProcess, id: string): Promise<MqttClient> {
  const connected = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.ports.mqtt}`, {
    clientId: id,
    username: id,
    password: SECRET,
    reconnectPeriod: 0,
  });
  onTestFinished(() => void connected.end(true));
  return connected;
}

let n = 0;
const face = (more: Record<string, unknown> = {}) => ({
  v: 1,
  id: `019ff0aa-0000-7000-8000-${String(++n).padStart(12, '0')}`,
  type: 'face',
  result: 'known',
  camera: 'cam-gate',
  time: new Date().toISOString(),
  person: 'P-302-1',
  similarity: 0.61,
  margin: 0.14,
  sightings: 2,
  live: 0.9,
  track: 1,
  ...more,
});

test('a known face opens the door its camera is set for, and only when everything about it is right; each time it says why', async () => {
  const camera = (id: string, faces: unknown) => ({ id, url: '/nothing.mp4', faces });
  const gateway = await gatewayOf({
    devices: [device('gate-west', 'esphome-lock')],
    cameras: [camera('cam-gate', { opens: 'gate-west', liveness: 0.5 }), camera('cam-yard', true)],
    vision: { secret: SECRET },
  });
  await gateway.start();
  const [vision, door] = [await client(gateway, 'vision-1'), await client(gateway, 'gate-west')];
  const orders: string[] = [];
  door.on('message', (topic, payload) => {
    orders.push(payload.toString());
    // As the lock does it: it says what it is now.
    door.publish(topic.replace(/command$/, 'state'), 'UNLOCKED', { qos: 1 });
  });
  await door.subscribeAsync('gate-west/lock/+/command', { qos: 1 });

  const tell = (more: Record<string, unknown>) =>
    vision.publishAsync('quanwei/vision/vision-1/event', JSON.stringify(face(more)), { qos: 1 });
  const refused: [string, Record<string, unknown>][] = [
    ['not-known', { result: 'stranger', person: undefined }],
    ['blocked', { result: 'blocked' }],
    ['told-late', { replayed: true }],
    ['test', { test: true }],
    ['not-fresh', { time: new Date(Date.now() - 8_000).toISOString() }],
    ['not-alike-enough', { similarity: 0.49 }],
    ['too-near-to-another', { margin: 0.01 }],
    ['seen-too-seldom', { sightings: 1 }],
    ['not-alive-enough', { live: 0.4 }],
    ['not-alive-enough', { live: undefined }],
  ];
  for (const [, more] of refused) await tell(more);
  await tell({ camera: 'cam-yard' });
  const decisions = async (count: number) =>
    eventually(async () => {
      const all = await gateway.entries('door.decision');
      return all.length >= count ? all : null;
    }, `${count} decisions`);
  const before = await decisions(refused.length);
  expect(before.map(({ body }) => [body['opened'], body['why']])).toEqual(refused.map(([why]) => [false, why]));
  expect(orders).toEqual([]);

  await tell({});
  await tell({});
  const after = (await decisions(refused.length + 2)).slice(refused.length);
  const opened = after.find(({ body }) => body['opened'] === true);
  expect(opened).toMatchObject({
    subject: 'gate-west',
    actor: 'device:cam-gate',
    body: { why: 'known', person: 'P-302-1', result: 'opened', similarity: 0.61 },
  });
  expect(after.find(({ body }) => body['opened'] === false)?.body['why']).toBe('opened-already');
  expect(orders).toHaveLength(1);
  expect((await gateway.entries('door.command'))[0]).toMatchObject({ subject: 'gate-west', body: { source: 'face' } });
  // The other camera is set for no door, and nothing is decided about it.
  expect(await gateway.entries('door.decision')).toHaveLength(refused.length + 2);
}, 60_000);
