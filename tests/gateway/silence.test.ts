import { expect, test } from 'vitest';
import { device, eventually, gatewayOf, hubOf, login, openAlarms } from './compound.ts';

test('a hub that falls silent is one alarm that covers its children; it clears when the hub speaks again', async () => {
  const settings = { devices: hubOf(10, { silentAfter: '3s' }).map((one) => ({ ...one, silentAfter: '3s' })) };
  const gateway = await gatewayOf(settings);
  await gateway.start();
  const hub = await login(gateway, 'hub-1');
  await hub.published('zigbee2mqtt/bridge/state', '{"state":"online"}');
  for (let i = 0; i < 10; i += 1) await hub.published(`zigbee2mqtt/sos-${i}`, '{"battery":90}');
  const [alarm] = await eventually(async () => {
    const open = await openAlarms(gateway);
    return open.length > 0 && open;
  }, 'the silence is an alarm');
  expect(alarm).toMatchObject({ device: 'hub-1', category: 'device.offline', level: 2, detail: { covers: 10 } });
  // Two rounds of looking at who is silent later it is still one.
  const head = await gateway.head();
  await hub.published('zigbee2mqtt/bridge/state', '{"state":"online"}');
  await eventually(async () => {
    const cleared = await gateway.entries('alarm.cleared', head);
    return cleared.some(({ subject }) => subject === alarm?.id);
  }, 'it is back');
  expect((await gateway.entries('alarm.raised')).map(({ subject }) => subject)).toEqual([alarm?.id]);
});

test('a detector that says nothing for longer than it may is an alarm, also after kill -9 in its silence', async () => {
  const gateway = await gatewayOf({
    devices: [
      device('smoke-1', 'zigbee-smoke-gas', { silentAfter: '3s' }),
      device('smoke-2', 'zigbee-smoke-gas', { silentAfter: '1h' }),
    ],
  });
  await gateway.start();
  for (const id of ['smoke-1', 'smoke-2']) {
    const smoke = await login(gateway, id);
    await smoke.published(`zigbee2mqtt/${id}`, '{"smoke":false,"battery":100}');
  }
  await gateway.stop();
  await gateway.start();
  await gateway.kill();
  await gateway.start();
  const open = await eventually(async () => {
    const alarms = await openAlarms(gateway);
    return alarms.length > 0 && alarms;
  }, 'the silence is an alarm');
  expect(open).toMatchObject([{ device: 'smoke-1', category: 'device.offline', level: 2 }]);
});
