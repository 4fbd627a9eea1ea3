import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/ports.ts';
import { device, eventually, gatewayOf, login, openAlarms } from './compound.ts';

/** The network between a device and the gateway: it can stop to carry what the gateway says. */
async function wire(to: number): Promise<{ port: number; deaf: boolean }> {
  const line = { port: await freePort(), deaf: false };
  const sockets = new Set<Socket>();
  const server: Server = createServer((device) => {
    const gateway = connect(to, '127.0.0.1');
    for (const socket of [device, gateway]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    device.pipe(gateway);
    gateway.on('data', (chunk) => {
      if (!line.deaf) device.write(chunk);
    });
    gateway.on('close', () => device.destroy());
    device.on('close', () => gateway.destroy());
  });
  await new Promise<void>((resolve) => server.listen(line.port, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return line;
}

const record = (id: number) =>
  JSON.stringify({
    operator: 'RecPush',
    info: {
      facesluiceId: 'door-1',
      RecordID: String(id),
      VerifyStatus: '1',
      Sendintime: '1',
      time: '2026-11-23 12:00:00',
    },
  });

test('killed between the commit and the PUBACK: what the device sends again is counted once', async () => {
  const gateway = await gatewayOf({
    devices: [device('door-1', 'face-oem-mqtt'), device('sos-1', 'zigbee-sos-button')],
  });
  const line = await wire(gateway.ports.mqtt);
  const press = JSON.stringify({ action: 'emergency', last_seen: '2026-11-23T12:00:00+08:00' });

  for (let round = 0; round < 3; round += 1) {
    await gateway.start();
    line.deaf = false;
    const door = await login(gateway, 'door-1', line.port);
    const button = await login(gateway, 'sos-1', line.port);
    line.deaf = true;
    const before = await gateway.head();
    const lost = [
      door.published('mqtt/face/door-1/Rec', record(round)),
      ...(round === 0 ? [button.published('zigbee2mqtt/sos-1', press)] : []),
    ].map((sent) => expect(sent).rejects.toThrow('connection closed'));
    await eventually(
      async () => (await gateway.entries('message', before)).length === lost.length,
      'both are committed',
    );
    await gateway.kill();
    await Promise.all(lost);
    expect([door.acked, button.acked]).toEqual([0, 0]);
  }

  await gateway.start();
  line.deaf = false;
  const door = await login(gateway, 'door-1', line.port);
  const button = await login(gateway, 'sos-1', line.port);
  for (let round = 0; round < 3; round += 1) {
    await door.published('mqtt/face/door-1/Rec', record(round));
    await door.published('mqtt/face/door-1/Rec', record(round), { dup: true });
  }
  await button.published('zigbee2mqtt/sos-1', press);

  expect(await gateway.entries('message')).toHaveLength(4);
  expect(await openAlarms(gateway)).toMatchObject([{ device: 'sos-1', category: 'sos', count: 1 }]);
}, 60_000);
