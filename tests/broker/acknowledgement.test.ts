import { expect, test } from 'vitest';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { startBox, until } from './box.ts';
import { enter } from './client.ts';

const full = new QuanweiError('STORAGE_FULL', 'the disk is full');
const soon = () => new Promise((resolve) => setTimeout(resolve, 50));

test('QoS 1: PUBACK comes only when the intake has resolved', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  box.intake.hold();
  door.publish('dev/door-1/said', 'one');
  await until(() => box.intake.messages.length === 1);
  await soon();
  expect(door.of('puback')).toEqual([]);
  box.intake.release();
  await until(() => door.of('puback').length === 1);
  expect(box.intake.messages[0]).toMatchObject({ client: 'door-1', topic: 'dev/door-1/said', qos: 1, will: false });
});

test('QoS 1: no PUBACK when it could not be stored; the client sends again and is acknowledged then', async () => {
  const clock = new SimulatedClock();
  const box = await startBox({ clock });
  const door = await enter(box.port, 'door-1', { clean: false });
  box.intake.fail = full;
  door.publish('dev/door-1/said', 'one', { messageId: 7 });
  await until(() => box.broker.stats().dropped.unstored === 1);
  expect(door.closed).toBe(false);
  clock.advance(1_000);
  await door.ended();
  expect(door.of('puback')).toEqual([]);

  box.intake.fail = null;
  const back = await enter(box.port, 'door-1', { clean: false });
  await back.published('dev/door-1/said', 'one', { messageId: 7, dup: true });
  expect(box.intake.texts).toEqual(['one', 'one']);
  expect(box.intake.messages[1]?.dup).toBe(true);
});

test('QoS 1: what was not stored reaches no subscriber', async () => {
  const box = await startBox();
  const listener = await enter(box.port, 'button-1');
  await listener.subscribe(['yard/#']);
  const door = await enter(box.port, 'door-1');
  box.intake.fail = full;
  door.publish('yard/bell', 'lost');
  await until(() => box.broker.stats().dropped.unstored === 1);
  box.intake.fail = null;
  await listener.published('yard/bell', 'kept');
  await until(() => listener.texts.length > 0);
  expect(listener.texts).toEqual(['kept']);
});

test('QoS 0: what could not be stored is dropped and counted, and the connection stays', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  box.intake.fail = full;
  door.publish('dev/door-1/said', 'gone', { qos: 0 });
  await until(() => box.broker.stats().dropped.storage === 1);
  box.intake.fail = null;
  await door.published('dev/door-1/said', 'there');
});

test('one message that cannot be stored takes no acknowledgement from the others', async () => {
  const clock = new SimulatedClock();
  const box = await startBox({ clock });
  const receive = box.intake.receive.bind(box.intake);
  box.intake.receive = (message) => (message.payload.toString() === 'bad' ? Promise.reject(full) : receive(message));
  const door = await enter(box.port, 'door-1');
  const good = [door.publish('dev/door-1/said', 'a'), door.publish('dev/door-1/said', 'b')];
  const bad = door.publish('dev/door-1/said', 'bad');
  good.push(door.publish('dev/door-1/said', 'c'));
  await until(() => door.of('puback').length === 3);
  clock.advance(1_000);
  await door.ended();
  expect(door.of('puback').map(({ messageId }) => messageId)).toEqual(good);
  expect(door.of('puback').map(({ messageId }) => messageId)).not.toContain(bad);
});

test('QoS 2: PUBREC comes only when the intake has resolved', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  box.intake.hold();
  const id = door.publish('dev/door-1/said', 'one', { qos: 2 });
  await until(() => box.intake.messages.length === 1);
  await soon();
  expect(door.of('pubrec')).toEqual([]);
  box.intake.release();
  await until(() => door.of('pubrec').length === 1);
  door.write({ cmd: 'pubrel', messageId: id });
  await until(() => door.of('pubcomp').length === 1);
});

test('QoS 2: no PUBREC when it could not be stored', async () => {
  const clock = new SimulatedClock();
  const box = await startBox({ clock });
  const door = await enter(box.port, 'door-1');
  box.intake.fail = full;
  door.publish('dev/door-1/said', 'one', { qos: 2 });
  await until(() => box.broker.stats().dropped.unstored === 1);
  clock.advance(1_000);
  await door.ended();
  expect(door.of('pubrec')).toEqual([]);
});

test('QoS 2: the same identifier again is the same message, until it is released', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  const send = async (text: string, dup: boolean) => {
    const before = door.of('pubrec').length;
    door.publish('dev/door-1/said', text, { qos: 2, messageId: 5, dup });
    await until(() => door.of('pubrec').length === before + 1);
  };
  await send('one', false);
  await send('one', true);
  expect(box.intake.texts).toEqual(['one']);
  door.write({ cmd: 'pubrel', messageId: 5 });
  await until(() => door.of('pubcomp').length === 1);
  await send('two', false);
  expect(box.intake.texts).toEqual(['one', 'two']);
});

test('QoS 2: an accepted message is remembered across a restart', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  door.publish('dev/door-1/said', 'one', { qos: 2, messageId: 5 });
  await until(() => door.of('pubrec').length === 1);
  await box.broker.close();
  await box.journal.close();

  const again = await startBox({ dir: box.dir });
  const back = await enter(again.port, 'door-1', { clean: false });
  back.publish('dev/door-1/said', 'one', { qos: 2, messageId: 5, dup: true });
  await until(() => back.of('pubrec').length === 1);
  expect(again.intake.texts).toEqual([]);
});

test('no more than maxInflight messages of a client wait for the disk at a time, and none is lost', async () => {
  const box = await startBox({ mqtt: { maxInflight: 8 } });
  const door = await enter(box.port, 'door-1');
  box.intake.hold();
  door.socket.cork();
  for (let i = 0; i < 50; i++) door.publish('dev/door-1/said', `${i}`);
  door.socket.uncork();
  await until(() => box.intake.messages.length === 8);
  await soon();
  expect(box.intake.messages).toHaveLength(8);
  box.intake.release();
  await until(() => door.of('puback').length === 50);
  expect(box.intake.texts).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
});
