import { describe, expect, test } from 'vitest';
import type { EntryKind, Lane } from '../../src/journal/entry.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import type { Item } from '../../src/upstream/item.ts';
import { Lanes, type LanesOptions } from '../../src/upstream/lanes.ts';
import { Window } from '../../src/upstream/window.ts';
import { MemoryJournal } from './memory-journal.ts';

const always = () => true;

function open(journal: MemoryJournal, more: Partial<LanesOptions> = {}) {
  const clock = new SimulatedClock(1_000_000);
  const lanes = new Lanes({
    source: journal,
    clock,
    encode: () => ({ topic: 't', payload: '', lifetime: null, expiryClass: null }),
    cursors: [0, 0, 0, 0],
    pipelined: true,
    ...more,
  });
  const send = (): Item | null => {
    lanes.newTurn();
    const item = lanes.next(always);
    if (item !== null) lanes.sent(item);
    return item;
  };
  return { clock, lanes, send };
}

describe('lanes', () => {
  test('a fresh fire alarm is the very next thing sent, before a backlog of any size', () => {
    const journal = new MemoryJournal();
    for (let n = 0; n < 20_000; n += 1)
      journal.append(n % 2 === 0 ? 'message' : 'alarm.raised', `s-${n}`, n % 2 === 0 ? 2 : 1);
    const { lanes, send } = open(journal);
    for (let n = 0; n < 100; n += 1) expect(send()?.lane).not.toBe(0);
    lanes.take([journal.append('alarm.raised', 'fire', 0)]);
    expect(send()?.alarm).toBe('fire');
  });

  test('records are never shut out by alarms below level 1', () => {
    const journal = new MemoryJournal();
    for (let n = 0; n < 3_000; n += 1)
      journal.append(n % 3 === 0 ? 'alarm.raised' : 'message', `s-${n}`, ((n % 3) + 1) as Lane);
    const { send } = open(journal);
    const lanes = Array.from({ length: 160 }, () => send()?.lane);
    const share = (lane: Lane) => lanes.filter((one) => one === lane).length;
    expect([share(1), share(2), share(3)]).toEqual([120, 30, 10]);
  });

  test('a lane whose turn comes with nothing to send leaves its turn to the others', () => {
    const journal = new MemoryJournal();
    for (let n = 0; n < 50; n += 1) journal.append('message', 'door', 3);
    const { send } = open(journal);
    expect(Array.from({ length: 50 }, () => send()?.lane)).toEqual(Array.from({ length: 50 }, () => 3));
    expect(send()).toBeNull();
  });

  test('of an alarm that repeats in a backlog, only the newest repetition is sent', () => {
    const journal = new MemoryJournal();
    journal.append('alarm.raised', 'a', 1);
    for (let n = 0; n < 1_000; n += 1) journal.append('alarm.repeated', n % 2 === 0 ? 'a' : 'b', 1);
    journal.append('alarm.closed', 'a', 1);
    const { lanes, send } = open(journal);
    const sent: number[] = [];
    for (let item = send(); item !== null; item = send()) {
      sent.push(item.seq);
      lanes.finish(item);
    }
    expect(sent).toEqual([1, 1_000, 1_001, 1_002]);
    expect(lanes.coalesced).toBe(998);
    expect(lanes.backlog()[1]?.waiting).toBe(0);
  });

  test('a repetition that was already on its way is not taken back', () => {
    const journal = new MemoryJournal();
    const { lanes, send } = open(journal);
    lanes.take([journal.append('alarm.repeated', 'a', 0)]);
    const first = send();
    lanes.take([journal.append('alarm.repeated', 'a', 0), journal.append('alarm.repeated', 'a', 0)]);
    lanes.requeue(first === null ? [] : [first]);
    expect([send()?.seq, send()?.seq, send()?.seq]).toEqual([1, 3, undefined]);
  });

  test('an alarm that becomes graver takes along what it still has in the slower lane, in order', () => {
    const journal = new MemoryJournal();
    for (let n = 0; n < 5_000; n += 1) journal.append('alarm.raised', `other-${n}`, 1);
    journal.append('alarm.raised', 'a', 1);
    journal.append('alarm.acknowledged', 'a', 1);
    const { lanes, send } = open(journal);
    for (let n = 0; n < 10; n += 1) send();
    lanes.take([journal.append('alarm.regraded', 'a', 0), journal.append('alarm.raised', 'fire', 0)]);
    expect([send(), send(), send(), send()].map((item) => item?.seq)).toEqual([5_001, 5_002, 5_003, 5_004]);
    let rest = 0;
    for (let item = send(); item !== null; item = send()) {
      expect(item.alarm).toMatch(/^other/);
      rest += 1;
      lanes.finish(item);
    }
    expect(rest).toBe(4_990);
  });

  test('memory stays small however long the backlog: a page of each lane and what is in flight', () => {
    const journal = new MemoryJournal();
    let encoded = 0;
    for (let n = 0; n < 10_000; n += 1) journal.append('message', 'door', 2);
    const { lanes, send } = open(journal, {
      page: 50,
      encode: () => {
        encoded += 1;
        return { topic: 't', payload: '', lifetime: null, expiryClass: null };
      },
    });
    for (let n = 0; n < 500; n += 1) {
      const item = send();
      if (item !== null) lanes.finish(item);
    }
    expect(encoded).toBeLessThanOrEqual(550);
    expect(lanes.backlog()[2]?.waiting).toBe(9_500);
    for (let n = 0; n < 200; n += 1) lanes.take([journal.append('message', 'door', 2)]);
    expect(encoded).toBeLessThanOrEqual(550);
    expect(lanes.backlog()[2]?.waiting).toBe(9_700);
  });

  test('the disk is read only so much in one turn, even when all that is read has expired', () => {
    const journal = new MemoryJournal();
    for (let n = 0; n < 5_000; n += 1) journal.append('message', 'door', 2, 0);
    const { lanes } = open(journal, {
      page: 100,
      encode: () => ({ topic: 't', payload: '', lifetime: 1, expiryClass: 'access' }),
    });
    let turns = 0;
    for (; turns < 100; turns += 1) {
      lanes.newTurn();
      expect(lanes.next(always)).toBeNull();
      if (!lanes.exhausted) break;
    }
    expect(turns).toBeGreaterThan(5);
    expect(lanes.dropped()).toEqual([{ class: 'access', count: 5_000, from: 1, to: 5_000 }]);
    expect(lanes.moved()).toEqual([{ lane: 2, seq: 5_000 }]);
  });

  test('an entry of which nothing is left to send holds nobody up', () => {
    const journal = new MemoryJournal();
    const kinds: EntryKind[] = ['alarm.raised', 'alarm.acknowledged', 'alarm.closed'];
    for (const kind of kinds) journal.append(kind, 'a', 0);
    const { lanes, send } = open(journal, {
      encode: ({ kind }) =>
        kind === 'alarm.acknowledged' ? null : { topic: 't', payload: '', lifetime: null, expiryClass: null },
    });
    expect([send()?.seq, send()?.seq, send()?.seq]).toEqual([1, 3, undefined]);
    expect(lanes.unsendable).toBe(1);
  });

  test('a disk that cannot be read for a while loses nothing and changes no order', () => {
    const journal = new MemoryJournal();
    for (let n = 0; n < 600; n += 1) journal.append('alarm.raised', `a-${n}`, 1);
    const { lanes, send } = open(journal);
    const sent: number[] = [];
    for (let n = 0; n < 100; n += 1) sent.push(send()?.seq ?? 0);
    const read = journal.read.bind(journal);
    let reads = 0;
    const failing = () => {
      reads += 1;
      throw new Error('disk I/O error');
    };
    journal.read = failing;
    expect(() => lanes.take([journal.append('alarm.regraded', 'a-500', 0)])).toThrow('disk I/O error');
    expect(() => {
      for (let n = 0; n < 600; n += 1) send();
    }).toThrow('disk I/O error');
    let allowed = 2;
    let failures = 0;
    journal.read = (options) => {
      allowed -= 1;
      return allowed < 0 && allowed > -5 ? failing() : read(options);
    };
    for (let n = 0; n < 2_000; n += 1) {
      try {
        const item = send();
        if (item !== null) sent.push(item.seq);
      } catch {
        failures += 1;
      }
    }
    expect(failures).toBe(4);
    expect(reads).toBeGreaterThan(5);
    expect(sent).toHaveLength(601);
    expect(new Set(sent).size).toBe(601);
    expect(sent.indexOf(501)).toBeLessThan(sent.indexOf(601));
    expect(sent.indexOf(601)).toBeLessThan(300);
  });

  test('a cursor beyond the end (a backup was restored) starts at the end', () => {
    const journal = new MemoryJournal();
    journal.append('alarm.raised', 'a', 0);
    const { lanes, send } = open(journal, { cursors: [500, 500, 500, 500] });
    expect(send()).toBeNull();
    lanes.take([journal.append('alarm.raised', 'b', 0)]);
    expect(send()?.seq).toBe(2);
  });

  test('the age of what waits is told by monotonic time for this process, by the wall clock for an earlier one', () => {
    const journal = new MemoryJournal();
    journal.append('alarm.raised', 'a', 1, 400_000);
    const { clock, lanes } = open(journal);
    expect(lanes.backlog()[1]).toEqual({ waiting: 1, oldestMs: 600_000 });
    clock.advance(1_000);
    expect(lanes.backlog()[1]).toEqual({ waiting: 1, oldestMs: 601_000 });
    expect(lanes.backlog()[0]).toEqual({ waiting: 0, oldestMs: 0 });
  });
});

describe('the window', () => {
  const item = (lane: Lane) => ({ lane }) as Item;

  test('of one class does not shut out another', () => {
    const window = new Window(2);
    window.add(item(2));
    window.add(item(3));
    expect([0, 1, 2, 3].map((lane) => window.open(lane as Lane))).toEqual([true, true, false, false]);
    window.add(item(1));
    window.add(item(1));
    expect([0, 1, 2, 3].map((lane) => window.open(lane as Lane))).toEqual([true, false, false, false]);
  });

  test('shrinks while the line is slow, once for each time it takes, and grows back; never for level 1', () => {
    const window = new Window(64);
    for (let n = 0; n < 64; n += 1) window.took(1_000, n);
    expect(window.paced).toBe(32);
    window.took(1_000, 2_000);
    expect(window.paced).toBe(16);
    for (let n = 0; n < 20; n += 1) window.took(5_000, 10_000 + n * 10_000);
    expect(window.paced).toBe(1);
    for (let n = 0; n < 100; n += 1) window.took(10, 1_000_000 + n);
    expect(window.paced).toBe(64);
    for (let n = 0; n < 64; n += 1) window.took(5_000, 2_000_000);
    for (let n = 0; n < 50; n += 1) window.add(item(0));
    expect(window.open(0)).toBe(true);
  });
});
