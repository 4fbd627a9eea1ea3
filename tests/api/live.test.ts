import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { HEARTBEAT_MS } from '../../src/api/live.ts';
import type { Draft } from '../../src/journal/entry.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { Box, PASSWORD, Person, until } from './box.ts';
import { Stream } from './stream.ts';

const note = (n: number, bytes = 0): Draft => ({
  kind: 'alarm.noted',
  actor: 'system',
  subject: 'alarm-1',
  body: { n, text: 'x'.repeat(bytes) },
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('an alarm reaches everybody who is looking, fifty of them, at once', async () => {
  const box = await Box.start();
  const person = await box.person('viewer');
  const people = [person, ...(await Promise.all(range(1, 5).map(() => box.signIn('viewer', PASSWORD))))];
  const streams = await Promise.all(range(0, 49).map((n) => Stream.open(people[n % people.length] as Person)));
  expect(streams.map(({ status }) => status)).toEqual(Array(50).fill(200));
  const before = box.journal.head();
  const began: number[] = [];
  for (let n = 0; n < 100; n += 1) {
    began.push(performance.now());
    await box.say(`sos-${n}`, 'sos');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const times: number[] = [];
  for (const stream of streams) {
    await stream.has(100);
    expect(stream.seqs()).toEqual(range(before + 1, before + 100));
    const told = stream.events.filter(({ event }) => event === 'message');
    for (const [n, { at, data }] of told.entries()) {
      expect(data).toMatchObject({ kind: 'alarm.raised', body: { alarm: { device: `sos-${n}`, level: 1 } } });
      times.push(at - (began[n] as number));
    }
    stream.close();
  }
  times.sort((a, b) => a - b);
  const p99 = times[Math.floor(times.length * 0.99)] ?? Number.POSITIVE_INFINITY;
  const p50 = times[times.length >> 1] ?? Number.POSITIVE_INFINITY;
  console.info(`alarm to 50 live streams: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
  // The promise is p99 within 20 ms; the benchmark measures it on its own. Beside other tests only the middle is told.
  expect(p50).toBeLessThan(50);
  const { body } = await box.nobody().get<string>('/metrics');
  expect(body).toMatch(/^quanwei_live_entries 100$/m);
}, 60_000);

test('nothing is missed and nothing comes twice while the stream changes from reading to following', async () => {
  const box = await Box.start();
  const people = [await box.person('viewer'), await box.signIn()];
  for (let n = 0; n < 10; n += 1) await box.journal.append(range(1, 100).map((i) => note(n * 100 + i)));
  const first = box.journal.read({ kinds: ['alarm.noted'], limit: 1 })[0]?.seq as number;
  let appending = true;
  const appends = (async () => {
    for (let n = 0; appending; n += 1) {
      await box.journal.append([note(10_000 + n)]);
      if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const streams: Stream[] = [];
  for (let n = 0; n < 20; n += 1)
    streams.push(await Stream.open(people[n % 2] as Person, `?after=${first - 1 + n * 37}`));
  await Promise.all(streams.map((stream) => stream.has(1_100)));
  appending = false;
  await appends;
  const head = box.journal.head();
  for (const [n, stream] of streams.entries()) {
    await until(() => stream.seqs().at(-1) === head, 'the newest entry arrives');
    expect(stream.seqs()).toEqual(range(first + n * 37, head));
    stream.close();
  }
}, 60_000);

test('who comes back gets what was missed, across a restart too', async () => {
  const box = await Box.start();
  const person = await box.person('viewer');
  const stream = await Stream.open(person);
  await box.journal.append([note(1)]);
  await stream.has(1);
  const seen = stream.lastId as string;
  stream.close();
  await box.journal.append([note(2), note(3)]);
  await box.stop();

  const again = await Box.start({ dir: box.dir });
  await again.journal.append([note(4)]);
  const back = await Stream.open(new Person(again.base, person.cookie), '?after=0', seen);
  await back.has(3);
  await again.journal.append([note(5)]);
  await back.has(4);
  expect(back.entries().map(({ body }) => (body as { n: number }).n)).toEqual([2, 3, 4, 5]);
  back.close();
});

test('a new stream begins now, and knows where that is before anything happens', async () => {
  const box = await Box.start();
  const person = await box.person('viewer');
  await box.journal.append([note(1)]);
  const stream = await Stream.open(person);
  await until(() => stream.named('state').length === 1, 'the first state');
  expect(stream.lastId).toBe(String(box.journal.head()));
  expect(stream.named('state')[0]?.data).toMatchObject({
    head: box.journal.head(),
    storage: { ok: true, problem: null },
    upstream: null,
  });
  await box.journal.append([note(2)]);
  await stream.has(1);
  expect(stream.entries()).toMatchObject([{ body: { n: 2 } }]);
  stream.close();
});

test('only what was asked for is sent, and never who signed in', async () => {
  const box = await Box.start();
  const viewer = await box.person('viewer');
  const alarms = await Stream.open(viewer);
  const doors = await Stream.open(viewer, '?topics=door,device');
  await box.signIn();
  const say = (kind: Draft['kind']): Draft => ({ kind, actor: 'system', subject: 'x', body: {} });
  await box.journal.append([say('message'), say('door.command'), say('device.state'), say('unknown'), note(1)]);
  await Promise.all([alarms.has(1), doors.has(2)]);
  expect(alarms.entries().map(({ kind }) => kind)).toEqual(['alarm.noted']);
  expect(doors.entries().map(({ kind }) => kind)).toEqual(['door.command', 'device.state']);
  expect((await Stream.open(viewer, '?topics=session')).status).toBe(400);
  expect((await Stream.open(viewer, '?topics=account')).status).toBe(400);
  expect((await Stream.open(box.nobody())).status).toBe(401);
  for (const stream of [alarms, doors]) stream.close();
});

test('a position that is yet to come is of another journal: read the lists again', async () => {
  const box = await Box.start();
  const person = await box.person('viewer');
  const stream = await Stream.open(person, '', '999999');
  await until(() => stream.named('reset').length === 1, 'told to begin again');
  expect(stream.named('reset')[0]?.data).toEqual({ seq: box.journal.head() });
  await box.journal.append([note(1)]);
  await stream.has(1);
  stream.close();
});

test('too much to replay ends in a fresh start, not in an endless reading', async () => {
  const box = await Box.start();
  const person = await box.person('viewer');
  for (let n = 0; n < 21; n += 1) await box.journal.append(range(1, 1_000).map((i) => note(n * 1_000 + i)));
  const stream = await Stream.open(person, '?after=0');
  await until(() => stream.named('reset').length === 1, 'told to begin again', 20_000);
  expect(stream.seqs()).toHaveLength(20_000);
  await box.journal.append([note(-1)]);
  await until(() => stream.seqs().at(-1) === box.journal.head(), 'the newest entry');
  stream.close();
}, 60_000);

test('a heartbeat every 15 s carries the state and how far the stream is', async () => {
  const clock = new SimulatedClock();
  const box = await Box.start({ clock });
  const person = await box.person('viewer');
  const stream = await Stream.open(person);
  await until(() => stream.named('state').length === 1, 'the first state');
  await box.journal.append([{ kind: 'message', actor: 'device:x', subject: 'x', body: {} }]);
  // Followers hear one turn of the event loop later.
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.setState('unsynced');
  clock.advance(HEARTBEAT_MS);
  await until(() => stream.named('state').length === 2, 'the next state');
  expect(stream.named('state')[1]?.data).toMatchObject({ clock: 'unsynced' });
  expect(stream.comments).toBe(1);
  await until(() => stream.lastId === String(box.journal.head()), 'the id moves past what was not asked for');
  stream.close();
});

test('a client that does not read is let go, harms nobody, and catches up when it comes back', async () => {
  const box = await Box.start();
  const person = await box.person('viewer');
  const good = await Stream.open(person);
  const lazy = connect(box.port, '127.0.0.1');
  lazy.write(`GET /api/live HTTP/1.1\r\nhost: 127.0.0.1:${box.port}\r\ncookie: ${person.cookie}\r\n\r\n`);
  await new Promise<void>((resolve) => lazy.once('data', () => resolve()));
  lazy.pause();
  const counts = async () =>
    (await person.get<{ counts: { liveClients: number; liveDropped: number } }>('/api/system')).body.counts;
  expect((await counts()).liveClients).toBe(2);
  let appended = 0;
  for (; (await counts()).liveDropped === 0; appended += 20) {
    if (appended > 1_000) throw new Error('it was never let go');
    await box.journal.append(range(1, 20).map((n) => note(appended + n, 60_000)));
  }
  expect(await counts()).toMatchObject({ liveClients: 1, liveDropped: 1 });
  await good.has(appended);
  const back = await Stream.open(person, '', '0');
  await back.has(appended);
  expect(back.seqs()).toEqual(good.seqs());
  lazy.destroy();
  good.close();
  back.close();
}, 60_000);

test('streams are bounded, and one that is closed makes room', async () => {
  const box = await Box.start();
  const person = await box.person('viewer');
  const streams = await Promise.all(range(1, 10).map(() => Stream.open(person)));
  expect(streams.every(({ status }) => status === 200)).toBe(true);
  expect((await Stream.open(person)).status).toBe(429);
  streams[0]?.close();
  let status = 429;
  for (let tries = 0; status !== 200 && tries < 100; tries += 1) {
    const one = await Stream.open(person);
    status = one.status;
    streams.push(one);
  }
  expect(status).toBe(200);
  for (const stream of streams) stream.close();
});

test('a gateway that stops says so and does not wait for those who look on', async () => {
  const box = await Box.start();
  const person = await box.person('viewer');
  const stream = await Stream.open(person);
  const began = performance.now();
  await box.stop();
  expect(performance.now() - began).toBeLessThan(3_000);
  await until(() => stream.ended, 'the stream ends');
  expect(stream.named('ended')).toMatchObject([{ data: { reason: 'stopping' } }]);
});
