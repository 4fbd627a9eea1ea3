import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AlarmDeed } from '../../src/alarms/actions.ts';
import type { Alarm } from '../../src/alarms/alarm.ts';
import { type AlarmRow, alarmOf } from '../../src/alarms/alarm-rows.ts';
import { Board } from '../../src/alarms/board.ts';
import { Escalation } from '../../src/alarms/escalation.ts';
import { rebuildAlarms } from '../../src/alarms/rebuild.ts';
import type { Category } from '../../src/devices/event.ts';
import type { Change } from '../../src/journal/entry.ts';
import { Journal } from '../../src/journal/journal.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { createLog } from '../../src/kernel/log.ts';
import { MEMORY } from '../support/data-dir.ts';
import { about, alarmsConfig, audit, event, guard } from './site.ts';

const START = Date.UTC(2026, 5, 1, 4);
const log = createLog('test', 'silent');

type Happening =
  | { type: 'event'; device: string; category: Category; kind: 'pulse' | 'level'; active: boolean; test: boolean }
  /** Done to the n-th alarm that is open then. */
  | { type: 'deed'; nth: number; deed: AlarmDeed | { type: 'merge-next' } | { type: 'shelve-for'; ms: number } }
  | { type: 'time'; ms: number };

const device = fc.constantFrom('a', 'a', 'b');
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('event' as const),
      device,
      category: fc.constantFrom<Category>('sos', 'intrusion.climb'),
      kind: fc.constant('pulse' as const),
      active: fc.constant(true),
      test: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('event' as const),
      device,
      category: fc.constantFrom<Category>('fire.smoke', 'door.held', 'battery.low', 'motion'),
      kind: fc.constant('level' as const),
      active: fc.boolean(),
      test: fc.constant(false),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('deed' as const),
      nth: fc.nat(5),
      deed: fc.constantFrom(
        { type: 'acknowledge' as const },
        { type: 'accept' as const },
        { type: 'handle' as const, result: 'done' },
        { type: 'return' as const, reason: 'no' },
        { type: 'close' as const, result: 'done' },
        { type: 'close' as const, result: 'done', reason: 'known' },
        { type: 'false' as const, reason: 'cat' },
        { type: 'reset' as const, reason: 'over' },
        { type: 'regrade' as const, level: 1 as const, reason: 'gas' },
        { type: 'merge-next' as const },
        { type: 'shelve-for' as const, ms: 600_000 },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('time' as const),
      ms: fc.constantFrom(1_000, 61_000, 301_000, 3_600_000),
    }),
  },
);

/** A compound that can lose its power at any moment. */
class Compound {
  readonly dirs: string[] = [];
  clock = new SimulatedClock(START, 'boot-0');
  journal: Journal | null = null;
  board: Board | null = null;
  escalation: Escalation | null = null;
  boots = 0;

  async boot(dir: string): Promise<void> {
    const { clock } = this;
    const newId = idSource(clock);
    this.journal = await Journal.open({ dir, clock, log, newId });
    const parts = { journal: this.journal, config: alarmsConfig(), timezone: 'Asia/Shanghai', clock, log, newId };
    this.board = await Board.load(parts);
    this.escalation = new Escalation({ board: this.board, clock, log });
  }

  newDir(): string {
    const dir = mkdtempSync(join(MEMORY, 'quanwei-ledger-'));
    this.dirs.push(dir);
    return dir;
  }

  /** What is on the disk now is all that is left. */
  async powerCut(): Promise<void> {
    const { journal } = this.parts;
    const dir = this.newDir();
    for (const file of ['quanwei.db', 'quanwei.db-wal']) cpSync(join(journal.dir, file), join(dir, file));
    await this.off();
    this.boots += 1;
    this.clock = new SimulatedClock(this.clock.wall(), `boot-${this.boots}`);
    await this.boot(dir);
  }

  async off(): Promise<void> {
    await this.escalation?.stop();
    await this.journal?.close();
  }

  async play(one: Happening): Promise<void> {
    const { board, escalation } = this.parts;
    if (one.type === 'time') {
      this.clock.advance(one.ms);
      await escalation.look();
      return;
    }
    if (one.type === 'event') {
      const { type: _, ...what } = one;
      await board.transact((tx) => tx.event(event(one.device, one.category, what), about(one.device)));
      return;
    }
    const open = board.open();
    const alarm = open[one.nth % Math.max(1, open.length)];
    if (alarm === undefined) return;
    const deed = this.#deed(one.deed, open, alarm);
    try {
      await board.transact((tx) => tx.act({ alarm: alarm.id, ...deed }, guard));
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'CONFLICT' });
    }
  }

  get parts(): { journal: Journal; board: Board; escalation: Escalation } {
    if (this.journal === null || this.board === null || this.escalation === null) throw new Error('it is off');
    return { journal: this.journal, board: this.board, escalation: this.escalation };
  }

  #deed(deed: Extract<Happening, { type: 'deed' }>['deed'], open: Alarm[], alarm: Alarm): AlarmDeed {
    if (deed.type === 'shelve-for') return { type: 'shelve', until: this.clock.wall() + deed.ms, reason: 'r' };
    if (deed.type !== 'merge-next') return deed;
    return { type: 'merge', into: open[(open.indexOf(alarm) + 1) % open.length]?.id ?? alarm.id };
  }
}

/** Alarms with names in place of ids, so that two runs can be compared. */
function ledger(journal: Journal): unknown[] {
  const alarms = journal.select<AlarmRow>('SELECT * FROM alarms ORDER BY n').map(alarmOf);
  const name = new Map(alarms.map(({ id }, i) => [id, `#${i}`]));
  const named = (id: string | null) => (id === null ? null : (name.get(id) ?? 'unknown'));
  return alarms.map((alarm) => ({
    ...alarm,
    id: named(alarm.id),
    previous: named(alarm.previous),
    mergedInto: named(alarm.mergedInto),
  }));
}

const rows = (journal: Journal) =>
  journal.select<AlarmRow>('SELECT * FROM alarms ORDER BY n').map(({ n: _, ...row }) => row);
const due = (journal: Journal) =>
  journal.select('SELECT what, due, every, missed FROM deadlines JOIN alarms ON id = alarm ORDER BY n, what');

async function run(
  list: readonly { happening: Happening; cut: boolean }[],
  check: (compound: Compound, last: boolean) => Promise<void> | void,
): Promise<void> {
  const compound = new Compound();
  try {
    await compound.boot(compound.newDir());
    for (const { happening, cut } of list) {
      await compound.play(happening);
      await check(compound, false);
      if (cut) await compound.powerCut();
    }
    await check(compound, true);
  } finally {
    await compound.off();
    for (const dir of compound.dirs) rmSync(dir, { recursive: true, force: true });
  }
}

const story = (cuts: fc.Arbitrary<boolean>) =>
  fc.array(fc.record({ happening, cut: cuts }), { minLength: 1, maxLength: 40 });

describe('the ledger', () => {
  test('is the same whatever moments the power was cut at', { timeout: 180_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(story(fc.integer({ min: 0, max: 7 }).map((n) => n === 0)), async (list) => {
        const ledgers: unknown[] = [];
        for (const cuts of [true, false]) {
          const plan = cuts ? list : list.map(({ happening }) => ({ happening, cut: false }));
          await run(plan, ({ parts: { journal } }, last) => {
            if (last) ledgers.push({ alarms: ledger(journal), due: due(journal) });
          });
        }
        expect(ledgers[0]).toEqual(ledgers[1]);
      }),
      { numRuns: 40 },
    );
  });

  test('in the table and in memory is what the journal says, after every step', { timeout: 180_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(story(fc.constant(false)), async (list) => {
        await run(list, ({ parts: { journal, board } }) => {
          audit(journal, board);
        });
      }),
      { numRuns: 40 },
    );
  });

  test('can be made anew out of the journal, also when that was cut short', { timeout: 180_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(story(fc.constant(false)), fc.boolean(), async (list, cutShort) => {
        await run(list, async ({ parts: { journal } }, last) => {
          if (!last) return;
          const before = rows(journal);
          const spoil: Change[] = [{ sql: "UPDATE alarms SET count = 0, handling = 'open', level = 4", params: [] }];
          if (cutShort) {
            spoil.push({ sql: 'DELETE FROM alarms', params: [] });
            spoil.push({ sql: "INSERT OR REPLACE INTO cursors VALUES ('alarms.rebuild', 1)", params: [] });
          }
          await journal.write(spoil);
          await rebuildAlarms(journal, log);
          expect(rows(journal)).toEqual(before);
        });
      }),
      { numRuns: 20 },
    );
  });

  test('of each device does not depend on how it mixes with the others, nor on what shares a commit', {
    timeout: 180_000,
  }, async () => {
    const events = fc.array(
      happening.filter((one) => one.type === 'event') as fc.Arbitrary<Extract<Happening, { type: 'event' }>>,
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(events, fc.infiniteStream(fc.boolean()), async (list, together) => {
        const outcomes: unknown[] = [];
        const byDevice = [...list].sort((a, b) => a.device.localeCompare(b.device));
        for (const order of [list, byDevice]) {
          await run([], async (compound, last) => {
            if (!last) return;
            let pending: Promise<void>[] = [];
            for (const one of order) {
              pending.push(compound.play(one));
              if (together.next().value === true) await Promise.all(pending.splice(0));
            }
            await Promise.all(pending);
            pending = [];
            const alarms = ledger(compound.parts.journal) as Alarm[];
            outcomes.push(
              alarms
                .map(({ id: _, previous: __, ...alarm }) => alarm)
                .sort((a, b) =>
                  JSON.stringify([a.device, a.category, a.drill]).localeCompare(
                    JSON.stringify([b.device, b.category, b.drill]),
                  ),
                ),
            );
          });
        }
        expect(outcomes[0]).toEqual(outcomes[1]);
      }),
      { numRuns: 40 },
    );
  });
});
