import { expect, test } from 'vitest';
import { SECRET as ROOM_SECRET } from '../broker/box.ts';
import { enter } from '../broker/client.ts';
import { device, eventually, gatewayOf, login } from './compound.ts';

const DOORS = ['door-1', 'door-2', 'door-3'];

test('fire opens the doors of the configuration within a second; practice, a test and an SOS open none', async () => {
  const gateway = await gatewayOf({
    devices: [
      ...DOORS.map((id) => device(id, 'face-oem-mqtt', { secret: ROOM_SECRET })),
      device('door-4', 'face-oem-mqtt', { secret: ROOM_SECRET }),
      device('smoke-1', 'zigbee-smoke-gas'),
      device('sos-1', 'zigbee-sos-button'),
    ],
    alarms: { fireReleases: DOORS },
  });
  await gateway.start();
  const opened = new Map<string, number[]>();
  for (const id of [...DOORS, 'door-4']) {
    const door = await enter(gateway.ports.mqtt, id);
    await door.subscribe([`mqtt/face/${id}`]);
    const answer = () => {
      for (const packet of door.packets.splice(0)) {
        if (packet.cmd !== 'publish') continue;
        const command = JSON.parse(packet.payload.toString()) as { operator: string; messageId: string };
        if (command.operator !== 'Unlock') continue;
        opened.set(id, [...(opened.get(id) ?? []), performance.now()]);
        const info = { facesluiceId: id, result: 'ok', detail: '' };
        door.publish(
          `mqtt/face/${id}/Ack`,
          JSON.stringify({ messageId: command.messageId, operator: 'Unlock-Ack', code: '200', info }),
        );
      }
    };
    door.socket.on('data', answer);
  }
  const sos = await login(gateway, 'sos-1');
  await sos.published('zigbee2mqtt/sos-1', '{"action":"emergency"}');
  const smoke = await login(gateway, 'smoke-1');
  await smoke.published('zigbee2mqtt/smoke-1', '{"smoke":true,"test":true,"battery":100}');
  await smoke.published('zigbee2mqtt/smoke-1', '{"smoke":true,"test":false,"battery":100}', { retain: true });
  await gateway.api('/api/alarms/drill', { category: 'fire.smoke', text: '演练' });

  await smoke.published('zigbee2mqtt/smoke-1', '{"smoke":false,"test":false,"battery":100}');
  const pressed = performance.now();
  await smoke.published('zigbee2mqtt/smoke-1', '{"gas":true,"smoke":false,"test":false,"battery":99}');
  await eventually(() => opened.size >= DOORS.length, 'the doors are told', 2_000);
  for (const id of DOORS) expect((opened.get(id)?.[0] ?? Number.POSITIVE_INFINITY) - pressed).toBeLessThan(1_000);
  const results = await eventually(async () => {
    const entries = await gateway.entries('door.result');
    return entries.length >= DOORS.length && entries;
  }, 'their answers are recorded');
  for (const { body } of results) expect(body).toMatchObject({ ok: true });
  // One command for each door: all that came before the fire ordered none.
  const commands = await gateway.entries('door.command');
  expect(commands.map(({ subject }) => subject).sort()).toEqual(DOORS);
  expect(opened.has('door-4')).toBe(false);
});
