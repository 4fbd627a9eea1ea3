import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SimulatedClock } from '../../../src/kernel/clock.ts';
import { idSource } from '../../../src/kernel/ids.ts';
import { createLog } from '../../../src/kernel/log.ts';
import type { VisionEvent } from '../../../src/vision/event.ts';
import { Conditions } from '../../../src/vision/report/conditions.ts';
import type { Command, Reply } from '../../../src/vision/report/message.ts';
import { Outbox } from '../../../src/vision/report/outbox.ts';
import { Reporter } from '../../../src/vision/report/reporter.ts';
import { dataDir } from '../../support/data-dir.ts';
import { TestBroker } from './broker.ts';

const log = createLog('test', 'silent');
const cross = {
  type: 'cross',
  stage: 'alarm',
  camera: 'cam',
  track: 1,
  score: 0.9,
  zone: 'e',
  posture: 2,
  rule: 'E',
} as const;
const climb = {
  type: 'climb',
  stage: 'warn',
  camera: 'cam',
  track: 1,
  score: 0.9,
  zone: 'e',
  posture: 2,
  rule: 'E',
} as const;
const dark = { type: 'health', camera: 'cam', condition: 'dark', active: true } as const;

interface Options {
  readonly dir?: string;
  readonly most?: number;
  readonly command?: (command: Command) => Promise<Reply>;
}

function vision(broker: TestBroker, { dir = dataDir(), most = 100, command }: Options = {}) {
  const clock = new SimulatedClock();
  const newId = idSource(clock);
  const outbox = new Outbox({ file: join(dir, 'outbox.ndjson'), most, clock, log });
  const reporter = new Reporter({
    broker: { url: broker.url, id: 'vision-1', secret: 'a-secret-1' },
    version: '0.0.0',
    outbox,
    clock,
    log,
    newId,
    random: () => 0,
    command: command ?? (() => Promise.reject(new Error('nobody is here'))),
  });
  const conditions = new Conditions({
    file: join(dir, 'told.json'),
    clock,
    log,
    tell: (event) => reporter.tell(event, clock.wall()),
  });
  reporter.start(conditions);
  onTestFinished(() => reporter.stop());
  const tell = (event: VisionEvent): string => {
    const id = newId();
    reporter.tell(event, clock.wall(), id);
    return id;
  };
  return { dir, clock, outbox, reporter, tell };
}

/** Real sockets, and a clock that moves a second with each look. */
async function until(clock: SimulatedClock, holds: () => boolean, what: string, step = 200): Promise<void> {
  const end = performance.now() + 8_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`it did not come about: ${what}`);
    clock.advance(step);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('it logs in as itself, says how it is and how its cameras are, retained and again and again, and leaves a will', async () => {
  const broker = await TestBroker.start();
  const { clock, reporter } = vision(broker);
  reporter.camera('cam', { state: 'online', fps: 5 });
  await until(clock, () => broker.said.length >= 2, 'statuses', 0);
  expect(broker.logins[0]).toEqual({ id: 'vision-1/vision-1', password: 'a-secret-1' });
  expect(broker.said[0]).toMatchObject({
    topic: 'quanwei/vision/vision-1/status',
    retain: true,
    body: { v: 1, state: 'online', cameras: 1 },
  });
  expect(broker.said[1]).toMatchObject({
    topic: 'quanwei/vision/vision-1/camera/cam/status',
    retain: true,
    body: { v: 1, state: 'online', fps: 5 },
  });
  clock.advance(60_000);
  await until(clock, () => broker.said.length >= 8, 'four statuses and two of the camera in a minute', 0);
  await reporter.stop();
  await until(clock, () => broker.said.at(-1)?.body['state'] === 'offline', 'a goodbye', 0);
});

test('what happened while the gateway was away is told when it is back: news as news, what is old as replayed, each once', async () => {
  const broker = await TestBroker.start();
  const { clock, outbox, tell, reporter } = vision(broker);
  await until(clock, () => reporter.connected, 'connected', 0);
  await broker.down();
  await until(clock, () => !reporter.connected, 'noticed', 0);
  const old = tell(cross);
  clock.advance(20_000);
  const fresh = tell(climb);
  await broker.up();
  await until(clock, () => outbox.size === 0, 'told');
  expect(broker.events()).toEqual([
    expect.objectContaining({ id: old, type: 'cross', replayed: true }),
    expect.objectContaining({ id: fresh, type: 'climb' }),
  ]);
  expect(broker.events()[1]).not.toHaveProperty('replayed');
});

test('what the gateway did not confirm is told again over the next connection, with the same id', async () => {
  const broker = await TestBroker.start();
  const { clock, outbox, tell, reporter } = vision(broker);
  await until(clock, () => reporter.connected, 'connected', 0);
  broker.confirms = false;
  const id = tell(cross);
  await until(clock, () => broker.events().length === 1, 'heard', 0);
  expect(outbox.size).toBe(1);
  broker.confirms = true;
  // Nothing breaks the connection but our own patience.
  await until(clock, () => outbox.size === 0, 'confirmed', 1_000);
  expect(broker.events().map((event) => event['id'])).toEqual([id, id]);
});

test('when there is no more room the least important goes first, oldest first, and is counted', async () => {
  const broker = await TestBroker.start();
  await broker.down();
  const { outbox, tell } = vision(broker, { most: 3 });
  const first = tell(climb);
  const alarm = tell(cross);
  const second = tell(climb);
  const third = tell(cross);
  expect(outbox.has(first)).toBe(false);
  const fourth = tell(cross);
  expect([second, alarm, third, fourth].map((id) => outbox.has(id))).toEqual([false, true, true, true]);
  expect(outbox.dropped).toBe(2);
});

test('a restart loses nothing that waited, half a line from a power cut costs only itself, and what was told is gone', async () => {
  const broker = await TestBroker.start();
  await broker.down();
  const before = vision(broker);
  const id = before.tell(cross);
  await before.reporter.stop();
  appendFileSync(join(before.dir, 'outbox.ndjson'), '{"id":"half');
  await broker.up();
  const after = vision(broker, { dir: before.dir });
  await until(after.clock, () => after.outbox.size === 0, 'told');
  expect(broker.events()).toEqual([expect.objectContaining({ id, replayed: true })]);
  expect(readFileSync(join(before.dir, 'outbox.ndjson'), 'utf8')).toBe('');
});

test('of a lasting trouble only the difference is told, and what an earlier process left raised is taken back', async () => {
  const broker = await TestBroker.start();
  const first = vision(broker);
  await until(first.clock, () => first.reporter.connected, 'connected', 0);
  await broker.down();
  await until(first.clock, () => !first.reporter.connected, 'noticed', 0);
  first.reporter.health({ ...dark, condition: 'frozen' });
  first.reporter.health({ ...dark, condition: 'frozen', active: false });
  first.reporter.health(dark);
  await broker.up();
  await until(first.clock, () => broker.events().length >= 1 && first.outbox.size === 0, 'told');
  expect(broker.events()).toEqual([expect.objectContaining({ condition: 'dark', active: true })]);
  await first.reporter.stop();

  // Still dark as far as the gateway knows; the next process sees it light, and says nothing either way at first.
  const second = vision(broker, { dir: first.dir });
  await until(second.clock, () => second.reporter.connected, 'connected', 0);
  expect(broker.events()).toHaveLength(1);
  await until(second.clock, () => broker.events().length === 2, 'taken back', 10_000);
  expect(broker.events()[1]).toMatchObject({ camera: 'cam', condition: 'dark', active: false });
});

test('a command is answered with what came of it; what is none is left alone', async () => {
  const broker = await TestBroker.start();
  const { clock, reporter } = vision(broker, {
    command: (command) =>
      command.command === 'snapshot'
        ? Promise.resolve({ result: 'ok', code: '200', detail: `media/${command.camera}.jpg` })
        : Promise.reject(new Error('cannot read it')),
  });
  await until(
    clock,
    () => broker.said.some(({ topic }) => topic.endsWith('/status')) && reporter.connected,
    'connected',
    0,
  );
  const topic = 'quanwei/vision/vision-1/command';
  const replies = () => broker.said.filter((one) => one.topic.endsWith('/reply')).map(({ body }) => body);
  const tries = setInterval(() => broker.order(topic, '{"v":1,"id":"c1","command":"snapshot","camera":"cam"}'), 50);
  await until(clock, () => replies().length > 0, 'subscribed', 0);
  clearInterval(tries);
  broker.order(topic, '{"v":1,"id":"c2","command":"snapshot"}');
  broker.order(topic, 'not JSON');
  broker.order(topic, '{"v":1,"id":"c3","command":"reload"}');
  await until(clock, () => replies().some(({ to }) => to === 'c3'), 'answered', 0);
  expect(replies()[0]).toEqual({ v: 1, to: 'c1', result: 'ok', code: '200', detail: 'media/cam.jpg' });
  expect(replies().at(-1)).toEqual({ v: 1, to: 'c3', result: 'error', code: '500', detail: 'cannot read it' });
  expect(replies().some(({ to }) => to === 'c2')).toBe(false);
});
