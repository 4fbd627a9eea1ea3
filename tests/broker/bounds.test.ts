import { connect } from 'node:net';
import { generate } from 'mqtt-packet';
import { expect, onTestFinished, test } from 'vitest';
import { startBox, until } from './box.ts';
import { enter, RawClient } from './client.ts';

const MB = 1024 * 1024;

test('a packet above the bound closes its connection before it is taken in', async () => {
  const box = await startBox({ mqtt: { maxPacket: '1MB' } });
  const door = await enter(box.port, 'door-1');
  await door.published('dev/door-1/said', Buffer.alloc(900_000, 'x'));
  // Only the header of a packet of 200 MB: it is enough.
  door.socket.write(Buffer.from([0x32, 0x80, 0x80, 0x80, 0x60, 0x00]));
  await door.ended();
  expect(box.broker.stats().dropped.oversize).toBe(1);
  expect(box.intake.messages).toHaveLength(1);
});

test('a small packet above a small bound is refused even when it came whole', async () => {
  const box = await startBox({ mqtt: { maxPacket: '1kB' } });
  const door = await enter(box.port, 'door-1');
  door.publish('dev/door-1/said', 'x'.repeat(2_000));
  await door.ended();
  expect(box.intake.messages).toEqual([]);
});

test('before the login a packet may be as large as a CONNECT needs', async () => {
  const box = await startBox();
  const stranger = await RawClient.open(box.port);
  stranger.socket.write(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x01, 0x00]));
  await stranger.ended();
  expect(box.broker.stats().dropped.oversize).toBe(1);
});

test('large packets that are never finished do not add up', async () => {
  const box = await startBox({ mqtt: { maxPacket: '4MB' } });
  const clients = await Promise.all(
    Array.from({ length: 16 }, (_, i) => enter(box.port, 'door-1', { clientId: `c${i}` })),
  );
  // 16 × 4 MB is all the room there is for packets under way.
  const header = Buffer.from([0x32, 0x80, 0x80, 0xf0, 0x01]); // 3,932,160 bytes to come
  for (const client of clients) client.socket.write(Buffer.concat([header, Buffer.alloc(100_000)]));
  const seventeenth = await enter(box.port, 'button-1');
  const eighteenth = await enter(box.port, 'button-1', { clientId: 'other' });
  await new Promise((resolve) => setTimeout(resolve, 100));
  seventeenth.socket.write(Buffer.concat([header, Buffer.alloc(100_000)]));
  eighteenth.socket.write(Buffer.concat([header, Buffer.alloc(100_000)]));
  await until(() => seventeenth.closed || eighteenth.closed);
  expect(clients.every((client) => !client.closed)).toBe(true);
  // Those who go make room.
  await Promise.all(clients.map((client) => client.kill()));
  const door = await enter(box.port, 'door-1');
  await door.published('dev/door-1/said', Buffer.alloc(3 * MB));
});

test('a topic of 10,000 levels closes its connection and harms nobody', async () => {
  const box = await startBox();
  const button = await enter(box.port, 'button-1');
  const door = await enter(box.port, 'door-1');
  door.publish(`dev/door-1/${'a/'.repeat(10_000)}a`, 'deep');
  await door.ended();
  const reader = await enter(box.port, 'door-1');
  expect(await reader.subscribe([`dev/door-1/${'+/'.repeat(10_000)}#`])).toEqual([]);
  await reader.ended();
  await button.published('dev/button-1/said', 'fire');
  expect(box.intake.texts).toEqual(['fire']);
});

test('a topic of more levels than configured, or of more than a kilobyte, is nobody’s', async () => {
  const box = await startBox({ mqtt: { maxTopicLevels: 5 } });
  const door = await enter(box.port, 'door-1');
  await door.published('dev/door-1/a/b/c', 'five');
  door.publish('dev/door-1/a/b/c/d', 'six', { qos: 0 });
  door.publish(`dev/door-1/${'x'.repeat(1_100)}`, 'long', { qos: 0 });
  await until(() => box.broker.stats().dropped['not-allowed'] === 2);
  expect(await door.subscribe(['dev/door-1/+/+/+/+', `dev/door-1/${'x'.repeat(1_100)}`])).toEqual([128, 128]);
  expect(box.intake.texts).toEqual(['five']);
});

test.each([
  ['bytes that are not UTF-8', Buffer.from([0x64, 0x65, 0x76, 0xff, 0xfe])],
  ['U+0000', Buffer.from('dev/door-1/\u0000')],
  ['nothing', Buffer.alloc(0)],
  ['a wildcard', Buffer.from('dev/door-1/+')],
])('a topic of %s closes the connection [MQTT-1.5.3, MQTT-3.3.2-2]', async (_what, topic) => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  const body = Buffer.concat([
    Buffer.from([topic.length >> 8, topic.length & 0xff]),
    topic,
    Buffer.from([0, 1]),
    Buffer.from('x'),
  ]);
  door.socket.write(Buffer.concat([Buffer.from([0x32, body.length]), body]));
  await door.ended();
  expect(box.intake.messages).toEqual([]);
  expect(box.broker.stats().dropped.malformed).toBe(1);
});

test.each([
  ['noise', Buffer.from(Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7_919 + 13) & 0xff))],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: gateway\r\n\r\n')],
  ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])],
  ['a PUBLISH', generate({ cmd: 'publish', topic: 'yard/x', payload: 'x', qos: 0, dup: false, retain: false })],
  ['a SUBSCRIBE', generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 0 }] })],
])('%s instead of CONNECT closes the connection', async (_what, bytes) => {
  const box = await startBox();
  const stranger = await RawClient.open(box.port);
  stranger.socket.write(bytes);
  await stranger.ended();
  expect(stranger.packets).toEqual([]);
  await enter(box.port, 'door-1');
});

test('noise after the login closes the connection', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  door.socket.write(Buffer.alloc(5_000, 0xff));
  await door.ended();
  expect(box.broker.stats().dropped.malformed).toBe(1);
});

test('a second CONNECT closes the connection [MQTT-3.1.0-2]', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  await door.login('door-1', { clientId: 'again' });
  await door.ended();
});

test('a subscriber that does not read is dropped; it holds up nobody and memory does not grow', async () => {
  const box = await startBox({ mqtt: { maxPacket: '1MB' } });
  const slow = await enter(box.port, 'door-1', { clean: false });
  await slow.subscribe(['yard/#']);
  slow.socket.pause();
  const reader = await enter(box.port, 'door-1', { clientId: 'reader' });
  await reader.subscribe(['yard/bell']);
  const button = await enter(box.port, 'button-1');
  const before = process.memoryUsage().arrayBuffers;
  const slowest = { ms: 0 };
  for (let i = 0; i < 400; i++) {
    const begun = performance.now();
    button.publish('yard/noise', Buffer.alloc(100_000, 'x'), { qos: 0 });
    await button.published('yard/noise', Buffer.alloc(100_000, 'y'));
    slowest.ms = Math.max(slowest.ms, performance.now() - begun);
    if (box.broker.stats().dropped['not-reading'] > 0) break;
  }
  expect(box.broker.stats().dropped['not-reading']).toBe(1);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * MB);
  expect(slowest.ms).toBeLessThan(1_000);
  await button.published('yard/bell', 'ding');
  await until(() => reader.texts.includes('ding'));
});

test('connections are bounded, and half-open ones make room for devices', async () => {
  const box = await startBox({ mqtt: { maxConnections: 20 } });
  const door = await enter(box.port, 'door-1');
  const silent = await Promise.all(Array.from({ length: 30 }, () => RawClient.open(box.port, '127.0.0.3')));
  await until(() => silent.filter(({ closed }) => closed).length === 11);
  expect(box.broker.stats().sockets).toBe(20);
  const button = await enter(box.port, 'button-1');
  await button.published('dev/button-1/said', 'fire');
  expect(door.closed).toBe(false);
  expect(box.broker.stats().dropped['half-open']).toBe(12);
});

test('when all connections are devices, one more is turned away', async () => {
  const box = await startBox({ mqtt: { maxConnections: 2 } });
  await enter(box.port, 'door-1');
  await enter(box.port, 'button-1');
  const third = await RawClient.open(box.port);
  await third.ended();
  expect(box.broker.stats().refused['too-many-connections']).toBe(1);
});

test('connections from one address can be bounded', async () => {
  const box = await startBox({ mqtt: { maxConnectionsPerAddress: 3 } });
  const crowd = await Promise.all(Array.from({ length: 5 }, () => RawClient.open(box.port, '127.0.0.4')));
  await until(() => crowd.filter(({ closed }) => closed).length === 2);
  await enter(box.port, 'door-1');
});

test('one device has sixteen connections at most: the oldest goes', async () => {
  const box = await startBox();
  const clients = [];
  for (let i = 0; i < 17; i++) clients.push(await enter(box.port, 'door-1', { clientId: `c${i}` }));
  await clients[0]?.ended();
  await until(() => box.broker.stats().clients === 16);
  expect(clients.at(-1)?.closed).toBe(false);
});

test('subscriptions of a client are bounded', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  const granted = await door.subscribe(Array.from({ length: 200 }, (_, i) => `yard/${i}`));
  expect(granted.filter((code) => code === 1)).toHaveLength(128);
  expect(granted.filter((code) => code === 128)).toHaveLength(72);
  door.write({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['yard/0'] });
  await until(() => door.of('unsuback').length === 1);
  expect(await door.subscribe(['yard/new'])).toEqual([1]);
});

test('QoS 2 messages that are never released are bounded', async () => {
  const box = await startBox({ mqtt: { maxInflight: 16 } });
  const door = await enter(box.port, 'door-1');
  for (let i = 1; i <= 20; i++) door.publish('dev/door-1/said', `${i}`, { qos: 2, messageId: i });
  await door.ended();
  expect(door.of('pubrec').length).toBeLessThanOrEqual(16);
});

test('a client that hangs up in the middle of everything leaves nothing behind', async () => {
  const box = await startBox();
  const connectPacket = generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: false,
    clientId: 'x',
    keepalive: 0,
    username: 'door-1',
    password: Buffer.from('a-secret-of-a-device'),
  });
  for (let cut = 0; cut <= connectPacket.length; cut += 7) {
    const socket = connect(box.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write(connectPacket.subarray(0, cut));
    setTimeout(() => socket.destroy(), cut % 5);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  await until(() => box.broker.stats().sockets === 0);
  expect(box.broker.stats().clients).toBe(0);
  await enter(box.port, 'door-1', { clientId: 'x' });
});
