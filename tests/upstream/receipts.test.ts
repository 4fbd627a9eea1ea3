import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { dataDir } from '../support/data-dir.ts';
import { alarmDraft, openBox, passage, raised, upstreamConfig } from './box.ts';
import { until } from './centre.ts';
import { Line, turns } from './line.ts';

const RECEIPT = 'quanwei/v1/longquan/spring-garden/receipt';

async function receiving(section: Record<string, unknown> = {}) {
  const clock = new SimulatedClock();
  const box = await openBox(dataDir(), clock);
  const line = new Line();
  line.onAttempt = (attempt) => attempt.events.up(true);
  const config = upstreamConfig({ url: 'mqtt://centre:1883', confirm: 'receipt', receiptTimeout: '10s', ...section });
  const bridge = box.bridge(config, { connect: line.connect, random: () => 0.5 });
  bridge.start();
  await turns();
  const say = (receipt: unknown) =>
    line.last.events.message({ topic: RECEIPT, payload: Buffer.from(JSON.stringify(receipt)), retain: false });
  return { clock, box, line, bridge, say };
}

describe('receipts of the centre', () => {
  test.each(['accepted', 'duplicate'])('`%s` confirms, and nothing less does', async (result) => {
    const { box, line, bridge, say } = await receiving();
    const [entry] = await box.journal.append([raised(1).draft]);
    await turns();
    expect(line.last.subscribed).toEqual(['quanwei/v1/longquan/spring-garden/order', RECEIPT]);
    expect(line.last.ids()).toEqual([entry?.id]);
    expect(bridge.state()).toMatchObject({ waiting: 1, counts: { confirmed: 0 } });
    await say({ ids: [entry?.id], result });
    expect(bridge.state()).toMatchObject({ waiting: 0, counts: { confirmed: 1 } });
  });

  test('an event whose receipt does not come is sent again with the same id, ever more patiently', async () => {
    const { clock, box, line, bridge, say } = await receiving();
    const [entry] = await box.journal.append([raised(1).draft]);
    await turns();
    const sentAt: number[] = [];
    for (let second = 0; second < 200; second += 1) {
      const before = line.last.ids().length;
      clock.advance(1_000);
      await turns(1);
      if (line.last.ids().length > before) sentAt.push(second);
    }
    expect(new Set(line.last.ids())).toEqual(new Set([entry?.id]));
    expect(sentAt.map((at, n) => at - (sentAt[n - 1] ?? 0))).toEqual([10, 21, 41, 81]);
    await say({ ids: [entry?.id], result: 'accepted' });
    expect(bridge.state().waiting).toBe(0);
    for (let second = 0; second < 200; second += 1) clock.advance(1_000);
    expect(line.last.ids()).toHaveLength(5);
  });

  test('the next event of an alarm waits for the receipt of the one before; other alarms do not', async () => {
    const { box, line, say } = await receiving();
    const { alarm, draft } = raised(2);
    const other = raised(2);
    const graver = alarmDraft('alarm.regraded', { ...alarm, level: 1, revision: 2 });
    const entries = await box.journal.append([draft, graver, other.draft]);
    await turns();
    expect(line.last.ids()).toEqual([entries[0]?.id, entries[2]?.id]);
    await say({ ids: [entries[0]?.id], result: 'accepted' });
    await turns();
    expect(line.last.ids()).toEqual([entries[0]?.id, entries[2]?.id, entries[1]?.id]);
  });

  test('`rejected` is written down and passed over: never sent again, and what follows goes on', async () => {
    const { clock, box, line, bridge, say } = await receiving();
    const { alarm, draft } = raised(1);
    const [first] = await box.journal.append([draft]);
    await turns();
    await say({ ids: [first?.id], result: 'rejected', reason: 'unknown compound' });
    const rejected = () => box.journal.read({ after: 0, limit: 10, kinds: ['upstream.rejected'] });
    await until(() => rejected().length === 1, 'it is written down');
    expect(rejected()[0]).toMatchObject({
      actor: 'centre',
      subject: alarm.id,
      body: { id: first?.id, seq: first?.seq, reason: 'unknown compound' },
    });
    await turns();
    expect(bridge.state()).toMatchObject({ waiting: 0, counts: { rejected: 1 } });
    for (let second = 0; second < 120; second += 1) clock.advance(1_000);
    const [second] = await box.journal.append([alarmDraft('alarm.closed', { ...alarm, revision: 2 })]);
    await turns();
    expect(line.last.ids()).toEqual([first?.id, second?.id]);
  });

  test('a centre that confirms nothing gets a fire alarm all the same, at once', async () => {
    const { box, line, bridge } = await receiving({ inflight: 10 });
    await box.journal.append(Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? passage(n) : raised(2).draft)));
    await turns();
    expect(line.last.ids()).toHaveLength(20);
    const [fire] = await box.journal.append([raised(1).draft]);
    await turns();
    expect(line.last.ids()).toHaveLength(21);
    expect(line.last.ids().at(-1)).toBe(fire?.id);
    expect(bridge.state().waiting).toBe(101);
  });

  test('receipts that come after a reconnect, before anything is sent again, spare the resend', async () => {
    const { clock, box, line, say } = await receiving();
    const entries = await box.journal.append([raised(1).draft, raised(1).draft]);
    await turns();
    line.last.fail();
    line.onAttempt = (attempt) => {
      attempt.subscribe = async () => {
        await say({ ids: [entries[0]?.id], result: 'accepted' });
        return [];
      };
      attempt.events.up(true);
    };
    clock.advance(1_000);
    await turns();
    expect(line.attempts).toHaveLength(2);
    expect(line.last.ids()).toEqual([entries[1]?.id]);
  });

  test.each([
    ['not JSON', '{'],
    ['no receipt', '{"ids":"x"}'],
    ['an unknown result', '{"ids":["x"],"result":"perhaps"}'],
    ['ten thousand ids', JSON.stringify({ ids: Array.from({ length: 10_000 }, () => 'x'), result: 'accepted' })],
    ['noise', 'x'.repeat(300_000)],
  ])('%s is counted and changes nothing', async (_, text) => {
    const { box, line, bridge } = await receiving();
    await box.journal.append([raised(1).draft]);
    await turns();
    await line.last.events.message({ topic: RECEIPT, payload: Buffer.from(text), retain: false });
    expect(bridge.state()).toMatchObject({ waiting: 1, counts: { badReceipts: 1, confirmed: 0 } });
  });

  test('a receipt for what was never sent confirms nothing', async () => {
    const { box, bridge, say } = await receiving();
    await box.journal.append([raised(1).draft]);
    await turns();
    await say({ ids: ['00000000-0000-7000-8000-000000000000'], result: 'accepted' });
    expect(bridge.state()).toMatchObject({ waiting: 1, counts: { confirmed: 0 } });
  });
});
