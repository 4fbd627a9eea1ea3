import { expect, test } from 'vitest';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { type Box, startBox, until } from './box.ts';
import { enter } from './client.ts';

/** The box goes off and on again. */
async function restarted(box: Box, more: Parameters<typeof startBox>[0] = {}): Promise<Box> {
  await box.broker.close();
  await box.journal.close();
  return startBox({ dir: box.dir, ...more });
}

const command = (payload: string) => ({ topic: 'dev/door-1/cmd', payload, qos: 1 as const, retain: false });

test('a retained message waits for later subscribers, also across a restart; an empty one removes it', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  await door.published('yard/gate', 'open', { retain: true });
  await door.published('yard/gate', 'closed', { retain: true });
  await door.published('yard/lamp', 'on', { retain: true });
  const again = await restarted(box);
  const button = await enter(again.port, 'button-1');
  await button.subscribe(['yard/#']);
  await until(() => button.messages.length === 2);
  expect(button.messages.map(({ topic, payload, retain }) => [topic, payload.toString(), retain])).toEqual([
    ['yard/gate', 'closed', true],
    ['yard/lamp', 'on', true],
  ]);
  await button.published('yard/gate', '', { retain: true });
  const last = await restarted(again);
  const late = await enter(last.port, 'door-1');
  await late.subscribe(['yard/gate', 'yard/lamp']);
  await until(() => late.messages.length === 1);
  expect(late.texts).toEqual(['on']);
});

test('a live message reaches a subscriber without the retain flag [MQTT-3.3.1-9]', async () => {
  const box = await startBox();
  const button = await enter(box.port, 'button-1');
  await button.subscribe(['yard/#']);
  const door = await enter(box.port, 'door-1');
  await door.published('yard/gate', 'open', { retain: true });
  await until(() => button.messages.length === 1);
  expect(button.messages[0]?.retain).toBe(false);
});

test('a remembered subscription and its queue outlive a restart', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  await door.subscribe(['dev/door-1/cmd']);
  await door.kill();
  for (let i = 0; i < 20; i++) await box.broker.send('door-1', command(`order ${i}`));
  expect(box.broker.stats().queued).toBe(20);

  const again = await restarted(box);
  expect(again.broker.stats().queued).toBe(20);
  await again.broker.send('door-1', command('order 20'));
  const back = await enter(again.port, 'door-1', { clean: false });
  expect(back.of('connack')[0]).toMatchObject({ sessionPresent: true });
  await until(() => back.texts.length === 21);
  expect(back.texts).toEqual(Array.from({ length: 21 }, (_, i) => `order ${i}`));
  await until(() => again.broker.stats().queued === 0);

  const last = await restarted(again);
  expect(last.broker.stats().queued).toBe(0);
});

test('what `send` has resolved for a device that is away is on disk, however the process ends', async () => {
  const box = await startBox({ clock: new SimulatedClock() });
  const door = await enter(box.port, 'door-1', { clean: false });
  await door.subscribe(['dev/door-1/cmd']);
  await door.kill();
  await until(() => !box.broker.connected('door-1'));
  await box.broker.send('door-1', command('unlock'));
  // The clock has not moved, so nothing has been flushed: what is there now is what a power cut leaves.
  const rows = () => box.journal.select<{ payload: Buffer }>('SELECT payload FROM mqtt_outgoing');
  expect(rows().map(({ payload }) => payload.toString())).toEqual(['unlock']);
});

test('a message between devices is queued on disk before its sender is acknowledged', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  await door.subscribe(['yard/#']);
  await door.kill();
  await until(() => !box.broker.connected('door-1'));
  const button = await enter(box.port, 'button-1');
  await button.published('yard/bell', 'ding');
  expect(box.journal.select('SELECT n FROM mqtt_outgoing')).toHaveLength(1);
});

test('what was sent and not acknowledged is sent again with DUP and the same identifier', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  door.answers = false;
  await door.subscribe(['dev/door-1/cmd']);
  await box.broker.send('door-1', command('unlock'));
  await until(() => door.messages.length === 1);
  expect(door.messages[0]).toMatchObject({ dup: false });
  await door.kill();
  await box.broker.send('door-1', command('lock'));
  const back = await enter(box.port, 'door-1', { clean: false });
  await until(() => back.messages.length === 2);
  expect(back.messages.map(({ payload, dup }) => [payload.toString(), dup])).toEqual([
    ['unlock', true],
    ['lock', false],
  ]);
  expect(back.messages[0]?.messageId).toBe(door.messages[0]?.messageId);
});

test('QoS 2 to a device is delivered once across a lost connection', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  await door.subscribe(['yard/bell'], 2);
  const button = await enter(box.port, 'button-1');
  const id = button.publish('yard/bell', 'ding', { qos: 2 });
  await until(() => button.of('pubrec').length === 1);
  button.write({ cmd: 'pubrel', messageId: id });
  await until(() => door.of('pubrel').length === 1);
  await door.kill();

  const again = await restarted(box);
  const back = await enter(again.port, 'door-1', { clean: false });
  await until(() => back.of('pubrel').length === 1);
  expect(back.messages).toEqual([]);
  expect(back.of('pubrel')[0]?.messageId).toBe(door.of('pubrel')[0]?.messageId);
  back.write({ cmd: 'pubcomp', messageId: back.of('pubrel')[0]?.messageId ?? 0 });
  await until(() => again.broker.stats().queued === 0);
});

test('a message is sent with no more than the QoS that was granted [MQTT-3.8.4-6]', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  expect(await door.subscribe(['yard/+'], 1)).toEqual([1]);
  const button = await enter(box.port, 'button-1');
  button.publish('yard/bell', 'ding', { qos: 2 });
  await until(() => door.messages.length === 1);
  expect(door.messages[0]?.qos).toBe(1);
  await until(() => box.broker.stats().queued === 0);
});

test('overlapping subscriptions get a message once', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  await door.subscribe(['yard/#', 'yard/+', 'yard/bell']);
  const button = await enter(box.port, 'button-1');
  await button.published('yard/bell', 'ding');
  await button.published('yard/bell', 'dong');
  await until(() => door.texts.length === 2);
  expect(door.texts).toEqual(['ding', 'dong']);
  await until(() => box.broker.stats().queued === 0);
});

test('a message that has to be queued for one does not push out another for somebody who is there', async () => {
  const box = await startBox();
  const away = await enter(box.port, 'button-1', { clean: false });
  await away.subscribe(['yard/slow']);
  await away.kill();
  const door = await enter(box.port, 'door-1', { clientId: 'reader' });
  await door.subscribe(['yard/#']);
  const speaker = await enter(box.port, 'door-1', { clientId: 'speaker' });
  for (let i = 0; i < 50; i++) {
    speaker.publish('yard/slow', `stored ${i}`);
    speaker.publish('yard/fast', `fast ${i}`, { qos: 0 });
  }
  await until(() => door.texts.length === 100, '100 messages');
});

test('a clean session forgets the earlier one with its queue [MQTT-3.1.2-6]', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  await door.subscribe(['dev/door-1/cmd']);
  await door.kill();
  await box.broker.send('door-1', command('unlock'));
  const clean = await enter(box.port, 'door-1', { clean: true });
  expect(clean.of('connack')[0]).toMatchObject({ sessionPresent: false });
  expect(box.broker.stats()).toMatchObject({ queued: 0, subscriptions: 0 });
  await clean.disconnect();
  const back = await enter(box.port, 'door-1', { clean: false });
  expect(back.of('connack')[0]).toMatchObject({ sessionPresent: false });
});

test('a full queue takes no more and tells the sender; what it has stays', async () => {
  const box = await startBox({ mqtt: { maxQueued: 5 } });
  const door = await enter(box.port, 'door-1', { clean: false });
  await door.subscribe(['dev/door-1/cmd', 'yard/#']);
  await door.kill();
  for (let i = 0; i < 5; i++) await box.broker.send('door-1', command(`order ${i}`));
  await expect(box.broker.send('door-1', command('one too many'))).rejects.toMatchObject({ code: 'DEVICE_OFFLINE' });
  const button = await enter(box.port, 'button-1');
  await button.published('yard/bell', 'ding');
  expect(box.broker.stats().dropped['queue-full']).toBe(1);
  const back = await enter(box.port, 'door-1', { clean: false });
  await until(() => back.texts.length === 5);
  expect(back.texts.at(-1)).toBe('order 4');
});

test('a client that makes up a new id every time leaves eight sessions at most', async () => {
  const box = await startBox();
  for (let i = 0; i < 12; i++) {
    const door = await enter(box.port, 'door-1', { clientId: `random-${i}`, clean: false });
    await door.subscribe(['dev/door-1/cmd']);
    await door.disconnect();
  }
  expect(box.broker.stats().subscriptions).toBe(8);
  const oldest = await enter(box.port, 'door-1', { clientId: 'random-0', clean: false });
  expect(oldest.of('connack')[0]).toMatchObject({ sessionPresent: false });
  const newest = await enter(box.port, 'door-1', { clientId: 'random-11', clean: false });
  expect(newest.of('connack')[0]).toMatchObject({ sessionPresent: true });
});

test('a session is given up after a week away, and with its device; a wall clock that is set expires nothing', async () => {
  const clock = new SimulatedClock(0);
  const box = await startBox({ clock });
  for (const id of ['door-1', 'button-1']) {
    const client = await enter(box.port, id, { clean: false });
    await client.subscribe([`dev/${id}/cmd`]);
    await client.kill();
  }
  await until(() => box.broker.stats().clients === 0);
  clock.stepWall(Date.UTC(2026, 5, 1));
  await box.broker.recheck();
  expect(box.broker.stats().subscriptions).toBe(2);
  box.registry.devices.delete('button-1');
  await box.broker.recheck();
  expect(box.broker.stats().subscriptions).toBe(1);
  clock.advance(7 * 86_400_000 + 20_000);
  await until(() => box.broker.stats().subscriptions === 0);
});

test('unsubscribing is remembered too', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  await door.subscribe(['yard/#', 'dev/door-1/cmd']);
  door.write({ cmd: 'unsubscribe', messageId: 99, unsubscriptions: ['yard/#'] });
  await until(() => door.of('unsuback').length === 1);
  await door.kill();
  const again = await restarted(box);
  expect(again.broker.stats().subscriptions).toBe(1);
});

test('QoS 0, and QoS 1 that nobody remembered subscribes to, cost no write besides the intake’s', async () => {
  const box = await startBox();
  const live = await enter(box.port, 'button-1');
  await live.subscribe(['yard/#']);
  const door = await enter(box.port, 'door-1');
  const before = box.journal.state().commits;
  for (let i = 0; i < 50; i++) {
    door.publish('yard/bell', 'ding', { qos: 0 });
    await door.published('yard/bell', 'dong');
    await door.published('dev/door-1/said', 'alone');
  }
  await until(() => live.texts.length === 100);
  expect(box.journal.state().commits).toBe(before);
});

test('retained messages are bounded for each device', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  for (let i = 0; i < 2_010; i++) door.publish(`yard/${i}`, 'x', { retain: true, qos: 0 });
  await door.published('yard/big', 'y'.repeat(300_000), { retain: true });
  expect(box.broker.stats()).toMatchObject({ retained: 2_000, dropped: { 'retained-full': 11 } });
  const button = await enter(box.port, 'button-1');
  await button.published('yard/mine', 'fits', { retain: true });
  expect(box.broker.stats().retained).toBe(2_001);
});
