import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EntryKind, Lane } from '../../src/journal/entry.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import type { Item } from '../../src/upstream/item.ts';
import { Lanes } from '../../src/upstream/lanes.ts';
import { MemoryJournal } from './memory-journal.ts';

/**
 * The lanes against a reader, under any interleaving of commits, sending, confirmations, lost connections and crashes.
 * What is checked is what the centre would see.
 */
type Step =
  | { do: 'commit'; batch: { alarm: number; lane: 0 | 1; repeated: boolean; record: 0 | 2 | 3 }[] }
  | { do: 'send'; count: number }
  | { do: 'confirm'; pick: number[] }
  | { do: 'reconnect' }
  | { do: 'flush' }
  | { do: 'crash' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      batch: fc.array(
        fc.record({
          alarm: fc.nat({ max: 4 }),
          lane: fc.constantFrom(0 as const, 1 as const, 1 as const),
          repeated: fc.boolean(),
          record: fc.constantFrom(0 as const, 0 as const, 2 as const, 3 as const),
        }),
        { minLength: 1, maxLength: 8 },
      ),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), count: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('confirm' as const),
      pick: fc.array(fc.nat({ max: 20 }), { maxLength: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reconnect' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'crash' as const }) },
);

class Run {
  readonly journal = new MemoryJournal();
  readonly clock = new SimulatedClock();
  readonly pipelined: boolean;
  readonly window: number;
  readonly cursors: [number, number, number, number] = [0, 0, 0, 0];
  lanes: Lanes;
  flight: Item[] = [];
  #count = new Map<number, number>();
  /** What reached the reader, in order, resends included. */
  readonly arrived: number[] = [];
  crashed = false;
  reconnected = false;

  constructor(pipelined: boolean, window: number) {
    this.pipelined = pipelined;
    this.window = window;
    this.lanes = this.#open();
  }

  #open(): Lanes {
    return new Lanes({
      source: this.journal,
      clock: this.clock,
      encode: () => ({ topic: 't', payload: '', lifetime: null, expiryClass: null }),
      cursors: this.cursors,
      pipelined: this.pipelined,
      page: 3,
    });
  }

  commit(batch: { alarm: number; lane: 0 | 1; repeated: boolean; record: 0 | 2 | 3 }[]): void {
    const entries = batch.map(({ alarm, lane, repeated, record }) => {
      if (record !== 0) return this.journal.append('message', 'door', record as Lane);
      const seen = this.#count.get(alarm) ?? 0;
      this.#count.set(alarm, seen + 1);
      const kind: EntryKind = seen === 0 ? 'alarm.raised' : repeated ? 'alarm.repeated' : 'alarm.noted';
      return this.journal.append(kind, `alarm-${alarm}`, lane);
    });
    this.lanes.take(entries);
  }

  send(count: number): void {
    this.lanes.newTurn();
    for (let i = 0; i < count; i += 1) {
      const item = this.lanes.next((lane) => this.flight.filter((one) => one.lane === lane).length < this.window);
      if (item === null) {
        if (!this.lanes.exhausted) return;
        this.lanes.newTurn();
        continue;
      }
      this.lanes.sent(item);
      this.flight.push(item);
      this.arrived.push(item.seq);
    }
  }

  confirm(pick: readonly number[]): void {
    for (const n of pick) {
      if (this.flight.length === 0) return;
      // A broker confirms in order; receipts come as they like.
      const at = this.pipelined ? 0 : n % this.flight.length;
      const [item] = this.flight.splice(at, 1);
      this.lanes.finish(item as Item);
    }
  }

  reconnect(): void {
    this.reconnected = true;
    this.lanes.requeue(this.flight);
    this.flight = [];
  }

  flush(): void {
    for (const { lane, seq } of this.lanes.moved()) this.cursors[lane] = seq;
  }

  crash(): void {
    this.crashed = true;
    this.flight = [];
    this.lanes = this.#open();
  }

  play(steps: readonly Step[]): void {
    for (const one of steps) {
      if (one.do === 'commit') this.commit(one.batch);
      else if (one.do === 'send') this.send(one.count);
      else if (one.do === 'confirm') this.confirm(one.pick);
      else this[one.do]();
    }
    for (let idle = 0; idle < 3; ) {
      const before = this.arrived.length;
      this.send(50);
      this.confirm(Array.from({ length: 100 }, (_, n) => n));
      idle = this.arrived.length === before ? idle + 1 : 0;
    }
  }

  /** The seqs of one alarm as the reader first saw them. */
  firstSeen(alarm: string): number[] {
    const mine = this.arrived.filter((seq) => this.journal.entries[seq - 1]?.subject === alarm);
    return [...new Set(mine)];
  }
}

const runs = fc.record({
  pipelined: fc.boolean(),
  window: fc.integer({ min: 1, max: 5 }),
  steps: fc.array(step, { maxLength: 60 }),
});
const often = { numRuns: 2_000 };

function play({ pipelined, window, steps }: { pipelined: boolean; window: number; steps: Step[] }): Run {
  const run = new Run(pipelined, window);
  run.play(steps);
  return run;
}

describe('lanes, whatever happens in whatever order', () => {
  test('the events of one alarm arrive in the order they were committed, across lanes, reconnects and crashes', () => {
    fc.assert(
      fc.property(runs, (plan) => {
        const run = play(plan);
        for (let alarm = 0; alarm < 5; alarm += 1) {
          const seen = run.firstSeen(`alarm-${alarm}`);
          expect(seen).toEqual([...seen].sort((a, b) => a - b));
        }
      }),
      often,
    );
  });

  test('everything arrives, but for repetitions that a newer one of the same alarm makes pointless', () => {
    fc.assert(
      fc.property(runs, (plan) => {
        const run = play(plan);
        const arrived = new Set(run.arrived);
        const missing = run.journal.entries.filter(({ seq }) => !arrived.has(seq));
        for (const { seq, kind, subject } of missing) {
          expect(kind).toBe('alarm.repeated');
          const newer = run.journal.entries.some(
            (entry) => entry.seq > seq && entry.kind === kind && entry.subject === subject && arrived.has(entry.seq),
          );
          expect(newer, `entry ${seq} of ${subject} was left out although nothing newer was sent`).toBe(true);
        }
      }),
      often,
    );
  });

  test('nothing is sent twice unless a connection or the process broke', () => {
    fc.assert(
      fc.property(runs, (plan) => {
        const run = play({
          ...plan,
          steps: plan.steps.filter(({ do: what }) => what !== 'crash' && what !== 'reconnect'),
        });
        expect(run.arrived).toHaveLength(new Set(run.arrived).size);
      }),
      often,
    );
  });

  test('a lost connection resends only what was not confirmed', () => {
    fc.assert(
      fc.property(runs, (plan) => {
        const run = new Run(plan.pipelined, plan.window);
        const confirmed = new Set<number>();
        const finish = run.confirm.bind(run);
        run.confirm = (pick) => {
          const before = [...run.flight];
          finish(pick);
          for (const item of before) if (item.state === 'done') confirmed.add(item.seq);
        };
        const send = run.send.bind(run);
        run.send = (count) => {
          const already = new Set(confirmed);
          const from = run.arrived.length;
          send(count);
          for (const seq of run.arrived.slice(from)) expect(already.has(seq)).toBe(false);
        };
        run.play(plan.steps.filter(({ do: what }) => what !== 'crash'));
      }),
      often,
    );
  });

  test('nothing of a lower lane is sent while lane 0 has something that could be sent', () => {
    fc.assert(
      fc.property(runs, (plan) => {
        const run = new Run(plan.pipelined, 1_000);
        const send = run.send.bind(run);
        run.send = (count) => {
          const from = run.arrived.length;
          send(count);
          const sent = run.flight.filter((item) => run.arrived.indexOf(item.seq, from) >= 0);
          const firstLower = sent.findIndex(({ lane }) => lane > 0);
          const lastUrgent = sent.findLastIndex(({ lane, home }) => lane === 0 && home === 0);
          // With receipts an urgent event may have to wait for the one before it of its own alarm.
          if (plan.pipelined && firstLower >= 0) expect(lastUrgent).toBeLessThan(firstLower);
        };
        run.play(plan.steps.filter(({ do: what }) => what !== 'crash' && what !== 'reconnect'));
      }),
      often,
    );
  });

  test('the cursors never pass what is not confirmed, and reach the end when all is', () => {
    fc.assert(
      fc.property(runs, (plan) => {
        const run = play(plan);
        run.flush();
        for (const lane of [0, 1, 2, 3] as const) {
          const last = run.journal.entries.findLast((entry) => entry.lane === lane)?.seq ?? 0;
          expect(run.lanes.backlog()[lane]).toEqual({ waiting: 0, oldestMs: 0 });
          expect(run.cursors[lane]).toBeLessThanOrEqual(last);
        }
        // A program that starts now has nothing to send.
        const before = run.arrived.length;
        run.crash();
        run.send(1_000);
        const again = run.arrived.slice(before).map((seq) => run.journal.entries[seq - 1]?.kind);
        expect(again.filter((kind) => kind !== 'alarm.repeated')).toEqual([]);
      }),
      often,
    );
  });
});
