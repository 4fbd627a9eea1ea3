import mqtt from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { Centre, Reader } from '../upstream/centre.ts';
import { device, eventually, gatewayOf, SECRET } from './compound.ts';

const ORDER = 'quanwei/v1/longquan/spring-garden/order';

test('a door that the centre opens and that is away, or says nothing, is told in the words of the contract', async () => {
  const centre = await Centre.start();
  const reader = await Reader.connect(centre.port);
  const gateway = await gatewayOf({
    devices: [device('door-1', 'face-oem-mqtt')],
    upstream: { url: centre.url, backoff: { min: '50ms', max: '200ms', stable: '10s' } },
  });
  await gateway.start();
  // It says so once it listens for orders; what is said before that nobody keeps for it.
  await eventually(() => reader.arrivals.find(({ topic }) => topic.endsWith('/status')), 'the gateway online');
  const open = async (id: string) => {
    const [issuedAt, expiresAt] = [new Date().toISOString(), new Date(Date.now() + 60_000).toISOString()];
    const order = { id, type: 'open-door', door: 'door-1', reason: '救护车', by: '张指挥', issuedAt, expiresAt };
    await reader.publish(ORDER, JSON.stringify(order));
    const { event } = await eventually(
      () =>
        reader.arrivals.find(
          ({ topic, event: { data } }) => topic === `${ORDER}/reply` && (data['order'] as { id: string }).id === id,
        ),
      `the reply to ${id}`,
    );
    return event.data;
  };
  expect(await open('o-1')).toMatchObject({ order: { type: 'open-door' }, ok: false, code: 'DEVICE_OFFLINE' });
  const door = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.ports.mqtt}`, {
    username: 'door-1',
    password: SECRET,
  });
  onTestFinished(() => door.endAsync(true));
  await door.subscribeAsync('mqtt/face/door-1');
  expect(await open('o-2')).toMatchObject({ ok: false, code: 'DEVICE_TIMEOUT' });
});
