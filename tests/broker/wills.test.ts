import { expect, test, vi } from 'vitest';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { startBox, until } from './box.ts';
import { enter } from './client.ts';

const will = (payload = 'gone', topic = 'dev/door-1/status') => ({
  will: { topic, payload: Buffer.from(payload), qos: 1 as const, retain: true },
});
const wills = (box: { intake: { messages: readonly { will: boolean; payload: Buffer }[] } }) =>
  box.intake.messages.filter((message) => message.will).map(({ payload }) => payload.toString());

test('a connection that breaks leaves its will; one that says goodbye does not', async () => {
  const clock = new SimulatedClock();
  const box = await startBox({ clock });
  const killed = await enter(box.port, 'door-1', will());
  const button = await enter(box.port, 'button-1', will('never', 'dev/button-1/status'));
  const listener = await enter(box.port, 'door-1', { clientId: 'listener' });
  await listener.subscribe(['dev/door-1/#']);
  await killed.kill();
  await button.disconnect();
  await until(() => box.broker.stats().clients === 1);
  clock.advance(5_000);
  await until(() => listener.texts.length === 1);
  expect(listener.texts).toEqual(['gone']);
  expect(wills(box)).toEqual(['gone']);
  expect(box.intake.messages[0]).toMatchObject({ client: 'door-1', topic: 'dev/door-1/status', qos: 1, retain: true });
  expect(box.broker.stats().retained).toBe(1);
});

test('a client that is back within the delay was not gone', async () => {
  const clock = new SimulatedClock();
  const box = await startBox({ clock });
  for (let i = 0; i < 3; i++) {
    const door = await enter(box.port, 'door-1', will(`gone ${i}`));
    await door.kill();
    await until(() => !box.broker.connected('door-1'));
    clock.advance(4_000);
  }
  const door = await enter(box.port, 'door-1', will('at last'));
  clock.advance(60_000);
  expect(wills(box)).toEqual([]);
  await door.kill();
  await until(() => !box.broker.connected('door-1'));
  clock.advance(5_000);
  await until(() => wills(box).length > 0);
  expect(wills(box)).toEqual(['at last']);
});

test('a client that is taken over leaves no will', async () => {
  const clock = new SimulatedClock();
  const box = await startBox({ clock });
  const first = await enter(box.port, 'door-1', will());
  await enter(box.port, 'door-1');
  await first.ended();
  clock.advance(60_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(wills(box)).toEqual([]);
});

test('a will outside the device’s topics is left out; the device may enter', async () => {
  const clock = new SimulatedClock();
  const box = await startBox({ clock });
  for (const topic of ['dev/button-1/status', 'dev/door-1/+', `dev/door-1${'/x'.repeat(50)}`]) {
    const door = await enter(box.port, 'door-1', will('fake', topic));
    await door.kill();
    await until(() => !box.broker.connected('door-1'));
    clock.advance(5_000);
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(wills(box)).toEqual([]);
  expect(box.broker.stats().dropped.will).toBe(3);
});

test('after a power cut those who do not come back are told to be gone, those who do are not', async () => {
  const box = await startBox();
  await enter(box.port, 'door-1', will('door gone'));
  await enter(box.port, 'button-1', will('button gone', 'dev/button-1/status'));
  await box.broker.close();
  await box.journal.close();
  expect(wills(box)).toEqual([]);

  const clock = new SimulatedClock();
  const again = await startBox({ dir: box.dir, clock });
  await enter(again.port, 'door-1', will('door gone'));
  clock.advance(59_000);
  expect(wills(again)).toEqual([]);
  clock.advance(1_000);
  await until(() => wills(again).length > 0);
  expect(wills(again)).toEqual(['button gone']);
});

test('a will that cannot be stored waits until it can', async () => {
  const clock = new SimulatedClock();
  const box = await startBox({ clock });
  const door = await enter(box.port, 'door-1', will());
  await door.kill();
  await until(() => !box.broker.connected('door-1'));
  box.intake.fail = new QuanweiError('STORAGE_FULL', 'the disk is full');
  clock.advance(5_000);
  await until(() => wills(box).length === 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  box.intake.fail = null;
  clock.advance(5_000);
  await until(() => wills(box).length === 2);
  clock.advance(60_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(wills(box)).toHaveLength(2);
});

test('a full disk that closes every connection makes no storm of wills', async () => {
  const clock = new SimulatedClock();
  const box = await startBox({ clock });
  const door = await enter(box.port, 'door-1', will());
  box.intake.fail = new QuanweiError('STORAGE_FULL', 'the disk is full');
  door.publish('dev/door-1/said', 'x');
  await until(() => box.broker.stats().dropped.unstored === 1);
  clock.advance(1_000);
  await door.ended();
  box.intake.fail = null;
  await until(() => !box.broker.connected('door-1'));
  const back = await enter(box.port, 'door-1', will());
  await back.published('dev/door-1/said', 'x', { dup: true });
  clock.advance(60_000);
  expect(wills(box)).toEqual([]);
});

test('a client that stays for weeks is not taken for dead', async () => {
  // aedes has a timer of its own for wills of brokers that have died.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const box = await startBox({ clock: new SimulatedClock() });
    const door = await enter(box.port, 'door-1', will());
    for (let day = 0; day < 21; day++) vi.advanceTimersByTime(86_400_000);
    await door.published('dev/door-1/said', 'here');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(box.intake.texts).toEqual(['here']);
  } finally {
    vi.useRealTimers();
  }
});
