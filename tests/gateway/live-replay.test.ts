import { expect, test } from 'vitest';
import { Stream } from '../api/stream.ts';
import { device, gatewayOf, login } from './compound.ts';

test('a page that comes back with its Last-Event-ID after a power cut has every alarm once and in order', async () => {
  const ids = Array.from({ length: 30 }, (_, i) => `sos-${i}`);
  const gateway = await gatewayOf({
    devices: [
      device('hub-1', 'zigbee2mqtt-hub'),
      ...ids.map((id) => device(id, 'zigbee-sos-button', { hub: 'hub-1' })),
    ],
  });
  const press = async (from: number, to: number) => {
    const hub = await login(gateway, 'hub-1');
    for (const id of ids.slice(from, to)) await hub.published(`zigbee2mqtt/${id}`, '{"action":"emergency"}');
    hub.end();
  };
  await gateway.start();
  const person = await gateway.signIn();
  const live = await Stream.open(person as never);
  await press(0, 10);
  await live.has(10);
  const last = live.lastId;
  const seen = live.seqs();
  live.close();

  await press(10, 20);
  await gateway.kill();
  await gateway.start();
  await press(20, 25);
  // The cookie of before the cut still holds.
  const back = await Stream.open(person as never, '', last ?? '');
  expect(back.status).toBe(200);
  await press(25, 30);
  await back.has(20);
  back.close();
  const stored = (await gateway.entries('alarm.raised')).map(({ seq }) => seq);
  expect(stored).toHaveLength(30);
  expect([...seen, ...back.seqs()]).toEqual(stored);
});
