import { expect, test } from 'vitest';
import { Centre, Reader, until } from '../upstream/centre.ts';
import { device, eventually, gatewayOf, login, openAlarms } from './compound.ts';

const LEVELS = {
  1: { acknowledge: '2s', close: '1h' },
  2: { acknowledge: '1h' },
  3: { acknowledge: '1h' },
  4: { acknowledge: '1h' },
};

test('an alarm nobody acknowledges in time is escalated to the next role and to the centre; an acknowledged one is not', async () => {
  const centre = await Centre.start();
  const reader = await Reader.connect(centre.port);
  const gateway = await gatewayOf({
    devices: [device('sos-1', 'zigbee-sos-button'), device('sos-2', 'zigbee-sos-button')],
    alarms: { levels: LEVELS, escalateTo: ['manager', 'centre'] },
    upstream: { url: centre.url },
  });
  await gateway.start();
  // Everybody is there before the first is pressed: what is acknowledged here has two seconds for it.
  const buttons = [await login(gateway, 'sos-1'), await login(gateway, 'sos-2')];
  expect(await openAlarms(gateway)).toEqual([]);
  await buttons[1]?.published('zigbee2mqtt/sos-2', '{"action":"emergency"}');
  const [taken] = await openAlarms(gateway);
  await gateway.api(`/api/alarms/${taken?.id}/acknowledge`, {});
  await buttons[0]?.published('zigbee2mqtt/sos-1', '{"action":"emergency"}');
  const open = await openAlarms(gateway);
  const of = (id: string) => open.find((alarm) => alarm.device === id)?.id;

  const told = await eventually(async () => {
    const entries = await gateway.entries('alarm.escalated');
    return entries.length >= 2 && entries;
  }, 'manager and centre are told');
  expect(told.map(({ subject }) => subject)).not.toContain(of('sos-2'));
  const raised = (await gateway.entries('alarm.raised')).find(({ subject }) => subject === of('sos-1'));
  const late = (told[0]?.wall ?? 0) - (raised?.wall ?? 0);
  expect(late).toBeGreaterThanOrEqual(2_000);
  expect(told.map(({ body }) => (body['change'] as { to: string }).to).slice(0, 2)).toEqual(['manager', 'centre']);
  await until(
    () => reader.events().some(({ event }) => event.type === 'cn.quanwei.alarm.escalated.v1'),
    'the centre hears of it',
  );
});

test.each(['kill', 'stop'] as const)(
  'a deadline that passes while the gateway is away (%s) escalates once it is back',
  async (end) => {
    const gateway = await gatewayOf({
      devices: [device('sos-1', 'zigbee-sos-button')],
      alarms: { levels: LEVELS, escalateTo: ['manager'] },
    });
    await gateway.start();
    const button = await login(gateway, 'sos-1');
    await button.published('zigbee2mqtt/sos-1', '{"action":"emergency"}');
    const raisedAt = Date.now();
    await gateway[end]();
    expect((await gateway.journal()).filter(({ kind }) => kind === 'alarm.escalated')).toEqual([]);
    await eventually(() => Date.now() - raisedAt > 2_000, 'the deadline has passed');
    await gateway.start();
    const [told] = await eventually(async () => {
      const entries = await gateway.entries('alarm.escalated');
      return entries.length > 0 && entries;
    }, 'it is escalated');
    const [open] = await openAlarms(gateway);
    expect(told?.subject).toBe(open?.id);
    expect(open?.escalations).toBeGreaterThanOrEqual(1);
  },
);

test('acknowledged before a restart, an alarm is not escalated after it', async () => {
  const gateway = await gatewayOf({
    devices: [device('sos-1', 'zigbee-sos-button'), device('sos-2', 'zigbee-sos-button')],
    alarms: { levels: LEVELS, escalateTo: ['manager'] },
  });
  await gateway.start();
  const first = await login(gateway, 'sos-1');
  const second = await login(gateway, 'sos-2');
  expect(await openAlarms(gateway)).toEqual([]);
  await first.published('zigbee2mqtt/sos-1', '{"action":"emergency"}');
  const [alarm] = await openAlarms(gateway);
  await gateway.api(`/api/alarms/${alarm?.id}/acknowledge`, {});
  await second.published('zigbee2mqtt/sos-2', '{"action":"emergency"}');
  await gateway.kill();
  await gateway.start();
  // The other alarm's deadline is the later one: once it has fired, that of the first would have.
  const told = await eventually(async () => {
    const entries = await gateway.entries('alarm.escalated');
    return entries.length > 0 && entries;
  }, 'the one nobody acknowledged is escalated');
  expect(told.map(({ subject }) => subject)).not.toContain(alarm?.id);
});
