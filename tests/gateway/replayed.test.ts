import { expect, test } from 'vitest';
import { Centre, Reader, until } from '../upstream/centre.ts';
import { device, eventually, gatewayOf, login, openAlarms } from './compound.ts';

const SETTINGS = {
  devices: [
    device('door-1', 'face-oem-mqtt'),
    device('door-2', 'face-oem-mqtt'),
    device('sos-1', 'zigbee-sos-button'),
    device('sos-2', 'zigbee-sos-button'),
  ],
  alarms: { fireReleases: ['door-2'], levels: { 1: { acknowledge: '1s', close: '1h' } }, escalateTo: ['manager'] },
};

const late = (id: number, more: Record<string, unknown>) => ({
  facesluiceId: 'door-1',
  Sendintime: '0',
  time: `2026-11-22 12:${String(id % 60).padStart(2, '0')}:00`,
  ...more,
});

test('a backlog a door sends afterwards is kept and told, and never rings, never opens a door, calls nobody', async () => {
  const centre = await Centre.start();
  const reader = await Reader.connect(centre.port);
  const gateway = await gatewayOf({ ...SETTINGS, upstream: { url: centre.url } });
  await gateway.start();
  const door = await login(gateway, 'door-1');
  for (let id = 0; id < 100; id += 1) {
    const info = late(id, { RecordID: String(id), VerifyStatus: '1' });
    await door.published('mqtt/face/door-1/Rec', JSON.stringify({ operator: 'RecPush', info }));
  }
  const fire = late(7, { SnapID: '7', fire: '1', smoke: '0' });
  await door.published('mqtt/face/door-1/Snap', JSON.stringify({ operator: 'FireSmokeSnapPush', info: fire }));

  // A fresh call for help is the measure: when its deadline has passed, that of the fire would have.
  const button = await login(gateway, 'sos-1');
  await button.published('zigbee2mqtt/sos-1', '{"action":"emergency"}');
  const told = await eventually(async () => {
    const entries = await gateway.entries('alarm.escalated');
    return entries.length > 0 && entries;
  }, 'the fresh alarm is escalated');

  const messages = await gateway.entries('message');
  expect(messages.filter(({ body }) => body['replayed'] === true)).toHaveLength(101);
  const raised = await gateway.entries('alarm.raised');
  const replayed = raised.find(({ body }) => (body['alarm'] as { category: string }).category === 'fire.camera');
  expect(replayed).toMatchObject({ lane: 1, body: { alarm: { replayed: true } } });
  expect(raised.filter(({ lane }) => lane === 0)).toHaveLength(1);
  expect(told.map(({ subject }) => subject)).not.toContain(replayed?.subject);
  expect(await gateway.entries('door.command')).toEqual([]);
  await until(() => reader.events().some(({ event }) => event.id === replayed?.id), 'the centre is told');
  expect(reader.events().find(({ event }) => event.id === replayed?.id)?.event['replayed']).toBe(true);
});

test('an alarm a hub remembers and tells again at every reconnect is stored as replayed and rings nowhere', async () => {
  const gateway = await gatewayOf(SETTINGS);
  await gateway.start();
  const press = '{"action":"emergency","battery":92}';
  for (let time = 0; time < 5; time += 1) {
    const button = await login(gateway, 'sos-1');
    await button.published('zigbee2mqtt/sos-1', press, { retain: true });
    button.end();
  }
  expect((await openAlarms(gateway)).map(({ device, replayed }) => ({ device, replayed }))).toEqual([
    { device: 'sos-1', replayed: true },
  ]);
  const kinds = ['alarm.raised', 'alarm.repeated', 'alarm.regraded'];
  for (const kind of kinds) for (const { lane } of await gateway.entries(kind)) expect(lane).not.toBe(0);

  // A press in earnest of the same button does ring.
  const button = await login(gateway, 'sos-1');
  await button.published('zigbee2mqtt/sos-1', press);
  expect((await openAlarms(gateway)).some(({ device, replayed }) => device === 'sos-1' && !replayed)).toBe(true);
});
