import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { Envelope, OrderReplyData } from '../../src/upstream/forms.ts';
import type { OrderHandlers, OrderResult } from '../../src/upstream/orders.ts';
import { dataDir } from '../support/data-dir.ts';
import { noHandlers, openBox, upstreamConfig } from './box.ts';
import { Centre, Reader, until } from './centre.ts';
import { Line, turns } from './line.ts';

const ORDER = 'quanwei/v1/longquan/spring-garden/order';
const REPLY = `${ORDER}/reply`;
const done: OrderResult = { ok: true, code: 'OK', detail: 'done' };

interface Said {
  readonly order: { readonly id: string; readonly type: string };
  readonly ok: boolean;
  readonly code: string;
  readonly detail: string;
  readonly result?: unknown;
}

async function ordered(handlers: Partial<OrderHandlers> = {}, dir = dataDir(), clock = new SimulatedClock()) {
  const box = await openBox(dir, clock);
  const line = new Line();
  line.onAttempt = (attempt) => attempt.events.up(true);
  const bridge = box.bridge(upstreamConfig({ url: 'mqtt://centre:1883' }), {
    connect: line.connect,
    orders: { ...noHandlers, ...handlers },
  });
  bridge.start();
  await turns();
  const main = () => line.attempts.findLast(({ request }) => request.as === 'main') ?? line.last;
  const text = (payload: string) =>
    main().events.message({ topic: ORDER, payload: Buffer.from(payload), retain: false });
  const order = (more: Record<string, unknown>) =>
    text(
      JSON.stringify({
        id: randomUUID(),
        issuedAt: new Date(clock.wall()).toISOString(),
        expiresAt: new Date(clock.wall() + 60_000).toISOString(),
        by: '值班员李四',
        ...more,
      }),
    );
  const replies = (): Said[] =>
    main()
      .published.filter(({ topic }) => topic === REPLY)
      .map(({ payload }) => JSON.parse(payload).data);
  const reply = async (count = 1) => {
    await until(() => replies().length >= count, 'the reply');
    return replies()[count - 1] as Said;
  };
  const kinds = () => box.journal.read({ after: 0, limit: 100 }).map(({ kind }) => kind);
  return { box, line, bridge, clock, text, order, reply, replies, kinds };
}

describe('an order of the centre', () => {
  test('is taken down before it is begun, carried out, and answered through the journal', async () => {
    const journalled: string[][] = [];
    const side = await ordered({
      openDoor: (order) => {
        journalled.push(side.kinds());
        return Promise.resolve({ ...done, detail: `${order.door} opened for ${order.by}: ${order.reason}` });
      },
    });
    await side.order({ id: 'o-1', type: 'open-door', door: 'gate-3', reason: '消防车入场' });
    expect(await side.reply()).toEqual({
      order: { id: 'o-1', type: 'open-door' },
      ok: true,
      code: 'OK',
      detail: 'gate-3 opened for 值班员李四: 消防车入场',
    });
    expect(journalled).toEqual([['order.received']]);
    expect(side.kinds()).toEqual(['order.received', 'order.replied']);
    const [received] = side.box.journal.read({ after: 0, limit: 1 });
    expect(received).toMatchObject({ actor: 'centre', subject: 'o-1', body: { order: { by: '值班员李四' } } });
    const event = JSON.parse(side.line.last.published.find(({ topic }) => topic === REPLY)?.payload ?? '');
    expect(Envelope.parse(event).type).toBe('cn.quanwei.order.reply.v1');
    OrderReplyData.parse(event.data);
  });

  test('that comes twice is carried out once and answered the same each time, also across a restart', async () => {
    let opened = 0;
    const dir = dataDir();
    const clock = new SimulatedClock();
    const openDoor = () => {
      opened += 1;
      return Promise.resolve({ ...done, detail: `opened for the ${opened}. time` });
    };
    const again = {
      id: 'o-2',
      type: 'open-door',
      door: 'gate-3',
      reason: 'x',
      issuedAt: new Date(clock.wall()).toISOString(),
      expiresAt: new Date(clock.wall() + 60_000).toISOString(),
    };
    const first = await ordered({ openDoor }, dir, clock);
    await Promise.all([first.order(again), first.order(again), first.order(again)]);
    const answer = await first.reply();
    await first.order(again);
    expect(await first.reply(2)).toEqual(answer);
    await first.box.close();
    const second = await ordered({ openDoor }, dir, clock);
    await second.order(again);
    expect(await second.reply()).toEqual(answer);
    expect(opened).toBe(1);
  });

  test('that was interrupted by a power cut is answered as interrupted and not done again', async () => {
    const dir = dataDir();
    const clock = new SimulatedClock();
    const never = new Promise<OrderResult>(() => undefined);
    const first = await ordered({ openDoor: () => never }, dir, clock);
    const order = { id: 'o-3', type: 'open-door', door: 'gate-3', reason: 'x' };
    await first.order(order);
    await first.box.close();
    let opened = 0;
    const openDoor = () => {
      opened += 1;
      return Promise.resolve(done);
    };
    const second = await ordered({ openDoor }, dir, clock);
    expect(await second.reply()).toMatchObject({ order: { id: 'o-3' }, ok: false, code: 'INTERRUPTED' });
    await second.order(order);
    expect(await second.reply(2)).toMatchObject({ ok: false, code: 'INTERRUPTED' });
    expect(opened).toBe(0);
  });

  test.each([
    ['is over', { issuedAt: -120_000, expiresAt: -60_000 }, 'EXPIRED'],
    ['would live for a day, and opens a door', { issuedAt: 0, expiresAt: 86_400_000 }, 'BAD_REQUEST'],
    ['expires before it was issued', { issuedAt: 0, expiresAt: -1 }, 'BAD_REQUEST'],
    ['comes from a future that is not ours', { issuedAt: 3_600_000, expiresAt: 3_660_000 }, 'CLOCK'],
  ])('whose time %s is refused', async (_, { issuedAt, expiresAt }, code) => {
    let opened = 0;
    const side = await ordered({
      openDoor: () => {
        opened += 1;
        return Promise.resolve(done);
      },
    });
    await side.order({
      type: 'open-door',
      door: 'gate-3',
      reason: 'x',
      issuedAt: new Date(side.clock.wall() + issuedAt).toISOString(),
      expiresAt: new Date(side.clock.wall() + expiresAt).toISOString(),
    });
    expect(await side.reply()).toMatchObject({ ok: false, code });
    expect(opened).toBe(0);
  });

  test.each([
    ['not JSON', '{"id":"x', null],
    ['an array', '[]', null],
    ['no type', '{"id":"o-9"}', 'BAD_REQUEST'],
    ['an unknown type', '{"id":"o-9","type":"self-destruct"}', 'BAD_REQUEST'],
    ['a type that is no word', '{"id":"o-9","type":["ping"]}', 'BAD_REQUEST'],
    ['noise', 'x'.repeat(300_000), null],
    ['an id that is a path', '{"id":"../../x","type":"ping"}', null],
  ])('that is none (%s) is answered when it says who it is, and does nothing', async (_, text, code) => {
    const side = await ordered();
    await side.text(text);
    if (code !== null) expect(await side.reply()).toMatchObject({ order: { type: 'unknown' }, ok: false, code });
    await turns();
    expect(side.replies()).toHaveLength(code === null ? 0 : 1);
    expect(side.bridge.state().orders.refused).toBe(1);
  });

  test('with a field it should not have is refused, and the corrected one with the same id is done', async () => {
    const side = await ordered();
    await side.order({ id: 'o-4', type: 'ping', force: true });
    expect(await side.reply()).toMatchObject({ order: { type: 'ping' }, ok: false, code: 'BAD_REQUEST' });
    await side.order({ id: 'o-4', type: 'ping' });
    expect(await side.reply(2)).toMatchObject({ ok: true, code: 'OK', result: { clock: 'synced' } });
  });

  test.each([
    [new QuanweiError('NOT_FOUND', 'there is no such alarm'), 'NOT_FOUND'],
    [new TypeError('undefined is not a function'), 'INVARIANT'],
  ])('that fails is answered with the reason: %s', async (thrown, code) => {
    const side = await ordered({ close: () => Promise.reject(thrown) });
    await side.order({ type: 'close', alarm: randomUUID(), reason: 'x' });
    const reply = await side.reply();
    expect(reply).toMatchObject({ ok: false, code });
    expect(reply.detail).not.toMatch(/undefined/);
  });

  test('that takes too long is answered so', async () => {
    const side = await ordered({ openDoor: () => new Promise(() => undefined) });
    await side.order({ type: 'open-door', door: 'gate-3', reason: 'x' });
    for (let second = 0; second < 61; second += 1) side.clock.advance(1_000);
    expect(await side.reply()).toMatchObject({ ok: false, code: 'DEVICE_TIMEOUT' });
  });

  test('on a flood of orders the box keeps a bound: what is above it is not taken', async () => {
    let noted = 0;
    const side = await ordered({
      note: () => {
        noted += 1;
        return Promise.resolve(done);
      },
    });
    await Promise.all(Array.from({ length: 500 }, () => side.order({ type: 'note', alarm: randomUUID(), text: 'x' })));
    await until(() => side.replies().length === 100, 'a hundred replies');
    const codes = side.replies().map(({ code }) => code);
    expect(codes.filter((code) => code === 'OK')).toHaveLength(noted);
    expect(new Set(codes)).toEqual(new Set(['OK', 'TOO_MANY']));
    expect(side.bridge.state().orders).toMatchObject({ received: 100, ignored: 400 });
  });

  test('for evidence sends the picture beside the journal, never through it', async () => {
    const picture = Buffer.from('a face');
    const side = await ordered({ evidence: () => Promise.resolve({ mediaType: 'image/jpeg', bytes: picture }) });
    const alarm = randomUUID();
    await side.order({ id: 'o-5', type: 'evidence', alarm, ref: 'media/1.jpg', reason: '案件 2026-17' });
    expect(await side.reply()).toMatchObject({ ok: true, result: { ref: 'media/1.jpg', bytes: 6 } });
    expect(side.line.last.request).toEqual({ as: 'side', will: null });
    expect(side.line.last.ended).toBe(true);
    const sent = side.line.last.published.find(({ topic }) => topic.endsWith('/evidence'));
    const event = Envelope.parse(JSON.parse(sent?.payload ?? ''));
    expect(event.data).toMatchObject({ order: 'o-5', alarm, base64: picture.toString('base64') });
    const stored = JSON.stringify(side.box.journal.read({ after: 0, limit: 10 }));
    expect(stored).not.toContain(picture.toString('base64'));
    expect(stored).toContain('案件 2026-17');
  });
});

describe('over a real broker', () => {
  test('an order sent while the box was away is carried out when it is back, and answered', async () => {
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    const box = await openBox();
    const acknowledged: string[] = [];
    const handlers: OrderHandlers = {
      ...noHandlers,
      acknowledge: ({ alarm }) => {
        acknowledged.push(alarm);
        return Promise.resolve(done);
      },
    };
    const first = box.bridge(upstreamConfig({ url: centre.url }), { orders: handlers });
    first.start();
    await until(() => first.state().connected, 'connected');
    await first.stop();
    const alarm = randomUUID();
    const order = {
      id: 'o-6',
      type: 'acknowledge',
      alarm,
      by: '李四',
      issuedAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    };
    await reader.publish(ORDER, JSON.stringify(order));
    const second = box.bridge(upstreamConfig({ url: centre.url }), { orders: handlers });
    second.start();
    await until(() => reader.arrivals.some(({ topic }) => topic === REPLY), 'the reply');
    expect(acknowledged).toEqual([alarm]);
    // A retained or repeated order does nothing more.
    await reader.publish(ORDER, JSON.stringify(order), true);
    await until(() => reader.arrivals.filter(({ topic }) => topic === REPLY).length === 2, 'the same reply');
    expect(acknowledged).toEqual([alarm]);
  });

  test('evidence arrives whole, on a connection of its own', async () => {
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    const box = await openBox();
    const picture = randomBytes(2_000_000);
    const bridge = box.bridge(upstreamConfig({ url: centre.url }), {
      orders: { ...noHandlers, evidence: () => Promise.resolve({ mediaType: 'image/jpeg', bytes: picture }) },
    });
    bridge.start();
    await until(() => bridge.state().connected, 'connected');
    const order = {
      id: 'o-8',
      type: 'evidence',
      alarm: randomUUID(),
      ref: 'media/2.jpg',
      reason: '案件 2026-17',
      by: '李四',
      issuedAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    };
    await reader.publish(ORDER, JSON.stringify(order));
    await until(() => reader.arrivals.some(({ topic }) => topic === REPLY), 'the reply');
    const [sent] = reader.arrivals.filter(({ topic }) => topic.endsWith('/evidence'));
    expect(Buffer.from(String(sent?.event.data['base64']), 'base64').equals(picture)).toBe(true);
    expect(reader.arrivals.at(-1)?.event.data).toMatchObject({
      ok: true,
      result: { sha256: sent?.event.data['sha256'] },
    });
    expect(bridge.state()).toMatchObject({ connected: true, connections: 1 });
  });

  test('a box that takes no orders does not even listen for them', async () => {
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    const box = await openBox();
    const bridge = box.bridge(upstreamConfig({ url: centre.url, orders: false }));
    bridge.start();
    await until(() => bridge.state().connected, 'connected');
    await reader.publish(ORDER, '{"id":"o-7","type":"ping"}');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(bridge.state().orders.received).toBe(0);
  });
});
