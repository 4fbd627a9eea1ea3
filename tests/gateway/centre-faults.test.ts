import { createServer, type Socket } from 'node:net';
import { generate, parser } from 'mqtt-packet';
import { expect, onTestFinished, test } from 'vitest';
import { Centre, Reader, until } from '../upstream/centre.ts';
import { eventually, gatewayOf, hubOf, login, openAlarms, upstream } from './compound.ts';

/** A broker that lets everybody in, takes everything and confirms nothing. */
async function silentBroker(port: number): Promise<{ taken: string[]; end(): Promise<void> }> {
  const taken: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const parse = parser();
    parse.on('packet', (packet) => {
      if (packet.cmd === 'connect') socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }));
      else if (packet.cmd === 'pingreq') socket.write(generate({ cmd: 'pingresp' }));
      else if (packet.cmd === 'subscribe') {
        const granted = packet.subscriptions.map(() => 1);
        socket.write(generate({ cmd: 'suback', messageId: packet.messageId ?? 0, granted }));
      } else if (packet.cmd === 'publish' && packet.topic.includes('/event/')) {
        taken.push((JSON.parse(packet.payload.toString()) as { id: string }).id);
      }
    });
    socket.on('data', (chunk) => parse.parse(chunk));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const end = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  onTestFinished(() => void end());
  return { taken, end };
}

test.each(['broker', 'receipt'])(
  'a centre that accepts and never confirms (confirm: %s): what is under way is bounded, nothing counts as told, the page works',
  async (confirm) => {
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    if (confirm === 'receipt') {
      reader.onArrival = ({ topic, event }) => {
        if (!topic.includes('/event/')) return;
        const receipt = JSON.stringify({ ids: [event.id], result: 'accepted' });
        reader.publish('quanwei/v1/longquan/spring-garden/receipt', receipt).catch(() => undefined);
      };
    }
    await centre.stop();
    const silent = await silentBroker(centre.port);
    const gateway = await gatewayOf({
      devices: hubOf(150),
      upstream: {
        url: centre.url,
        confirm,
        inflight: 10,
        receiptTimeout: '60s',
        backoff: { min: '50ms', max: '200ms', stable: '10s' },
      },
    });
    await gateway.start();
    const hub = await login(gateway, 'hub-1');
    for (let i = 0; i < 150; i += 1) {
      await hub.published(`zigbee2mqtt/sos-${i}`, i % 2 === 0 ? '{"action":"emergency"}' : '{"tamper":true}');
    }
    await eventually(() => silent.taken.length >= 10, 'it takes what it is sent');
    const state = await upstream(gateway);
    expect(state.connected).toBe(true);
    expect(state.lastConfirmed).toBeNull();
    expect(state.waiting).toBeGreaterThanOrEqual(150);
    expect(state.oldestAlarmMs).toBeGreaterThan(0);
    // Three classes, each with a window of its own.
    expect(new Set(silent.taken).size).toBeLessThanOrEqual(30);
    expect(await openAlarms(gateway)).toHaveLength(150);

    await silent.end();
    await centre.start();
    await until(() => reader.connected, 'the reader is back');
    await eventually(
      async () => (await upstream(gateway)).waiting === 0,
      'the centre has confirmed everything',
      20_000,
    );
    const raised = (await gateway.entries('alarm.raised')).map(({ id }) => id);
    await until(() => {
      const there = new Set(reader.events().map(({ event }) => event.id));
      return raised.every((id) => there.has(id));
    }, 'every alarm is there');
  },
  60_000,
);
