import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { LoadClient } from '../support/mqtt-load.ts';

/** One gateway for the file: everything below must leave it as healthy as it was. */
let gateway: GatewayProcess;
const dir = mkdtempSync(join(tmpdir(), 'quanwei-test-'));
const SECRET = 'device-secret-1';

beforeAll(async () => {
  gateway = await GatewayProcess.prepare(dir, {
    devices: [
      { id: 'door-1', profile: 'face-oem-mqtt', secret: SECRET },
      { id: 'sos-1', profile: 'zigbee-sos-button', secret: SECRET },
      { id: 'smoke-1', profile: 'zigbee-smoke-gas', secret: SECRET },
    ],
  });
  await gateway.start();
});

afterAll(async () => {
  await gateway.stop();
  rmSync(dir, { recursive: true, force: true });
});

const login = (device: string) =>
  LoadClient.connect({ port: gateway.ports.mqtt, clientId: device, username: device, password: SECRET });

const entries = (kind: string) => gateway.entries(kind);

interface Open {
  readonly id: string;
  readonly device: string;
  readonly category: string;
  readonly count: number;
  readonly level: number;
  readonly raisedAt: number;
}

const alarms = async (): Promise<Open[]> => ((await gateway.api('/api/alarms')) as { alarms: Open[] }).alarms;

const NOISE = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7_919 + (i >> 3)) & 0xff)).toString(
  'latin1',
);

test.each([
  ['not JSON', 'hello'],
  ['300 kB of noise', NOISE],
  ['JSON a hundred thousand levels deep', '['.repeat(100_000) + ']'.repeat(100_000)],
  ['wrong types', '{"operator":17,"info":"none"}'],
  ['nothing at all', ''],
  ['a key that names the prototype', '{"__proto__":{"operator":"RecPush"},"constructor":1}'],
])('%s is acknowledged, kept as unknown, and harms nothing', async (_name, payload) => {
  const before = (await entries('unknown')).length;
  const door = await login('door-1');
  await door.published('mqtt/face/door-1/Rec', payload);
  door.end();
  expect(await entries('unknown')).toHaveLength(before + 1);
  expect(await gateway.healthy()).toBe(true);
});

test('a number no double can hold keeps its digits and harms nothing', async () => {
  const door = await login('door-1');
  const digits = '9'.repeat(40);
  await door.published(
    'mqtt/face/door-1/Rec',
    `{"operator":"RecPush","info":{"facesluiceId":"door-1","RecordID":${digits},"VerifyStatus":1,"similarity1":1e999}}`,
  );
  door.end();
  expect(JSON.stringify((await entries('message')).at(-1)?.body)).toContain(digits);
  expect(await gateway.healthy()).toBe(true);
});

test('bytes that are not UTF-8 are kept word for word', async () => {
  const door = await login('door-1');
  await door.published('mqtt/face/door-1/Rec', Buffer.from([0x7b, 0xff, 0xfe, 0xc0, 0x7d]));
  door.end();
  const last = (await entries('unknown')).at(-1) as unknown as { body: { base64: string } };
  expect(Buffer.from(last.body.base64, 'base64')).toEqual(Buffer.from([0x7b, 0xff, 0xfe, 0xc0, 0x7d]));
});

test('two buttons pressed are two alarms; the same SOS ten times in a second is one alarm that counts ten', async () => {
  const button = await login('sos-1');
  for (let i = 0; i < 10; i += 1) await button.published('zigbee2mqtt/sos-1', '{"action":"emergency","battery":90}');
  button.end();
  const smoke = await login('smoke-1');
  await smoke.published('zigbee2mqtt/smoke-1', '{"smoke":true,"test":false,"battery":100}');
  smoke.end();
  const open = await alarms();
  expect(open.filter((alarm) => alarm.device === 'sos-1')).toMatchObject([{ category: 'sos', level: 1, count: 10 }]);
  expect(open.filter((alarm) => alarm.device === 'smoke-1')).toMatchObject([{ category: 'fire.smoke', level: 1 }]);
});

test('a duplicate is one, with the DUP flag and without', async () => {
  const payload = JSON.stringify({
    operator: 'RecPush',
    info: {
      facesluiceId: 'door-1',
      RecordID: '77001',
      VerifyStatus: '1',
      Sendintime: '1',
      time: '2026-11-23 12:00:00',
    },
  });
  const before = (await entries('message')).length;
  const door = await login('door-1');
  await door.published('mqtt/face/door-1/Rec', payload);
  await door.published('mqtt/face/door-1/Rec', payload);
  await door.published('mqtt/face/door-1/Rec', payload, { dup: true });
  door.end();
  expect(await entries('message')).toHaveLength(before + 1);
});

test.each([
  ['1970', '1970-01-01 08:00:00'],
  ['2099', '2099-12-31 23:59:59'],
])('a device whose clock says %s is dated by the gateway', async (year, time) => {
  const door = await login('door-1');
  await door.published(
    'mqtt/face/door-1/Rec',
    JSON.stringify({
      operator: 'RecPush',
      info: { facesluiceId: 'door-1', RecordID: `clock-${year}`, VerifyStatus: '1', Sendintime: '1', time },
    }),
  );
  door.end();
  const last = (await entries('message')).at(-1);
  expect(last?.deviceTime).toBeNull();
  expect(Math.abs((last?.wall ?? 0) - Date.now())).toBeLessThan(60_000);
});
