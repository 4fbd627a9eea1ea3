import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AlarmDeed } from '../../src/alarms/actions.ts';
import { type Alarm, asks, isClosed, isUnacknowledged, type Level } from '../../src/alarms/alarm.ts';
import { step } from '../../src/alarms/lifecycle.ts';
import type { Input, Transition } from '../../src/alarms/transition.ts';
import type { Category } from '../../src/devices/event.ts';
import { about, event, guard } from './site.ts';

const START = Date.UTC(2026, 5, 1, 4);
const WINDOW = 300_000;
const TARGET = '01900000-0000-7000-8000-00000000000a';

const grade = fc.constantFrom<Level>(1, 2, 3, 4);
const deed: fc.Arbitrary<AlarmDeed> = fc.oneof(
  fc.constantFrom<AlarmDeed>(
    { type: 'acknowledge' },
    { type: 'accept' },
    { type: 'dispatch', to: 'zhao' },
    { type: 'handle', result: 'done' },
    { type: 'return', reason: 'no' },
    { type: 'close' },
    { type: 'close', result: 'done' },
    { type: 'close', result: 'done', reason: 'known' },
    { type: 'false', reason: 'cat' },
    { type: 'merge', into: TARGET },
    { type: 'unshelve' },
    { type: 'reset', reason: 'over' },
    { type: 'note', note: 'n' },
  ),
  fc.record({
    type: fc.constant('shelve' as const),
    until: fc.integer({ min: START, max: START + 1e9 }),
    reason: fc.constant('r'),
  }),
  fc.record({ type: fc.constant('regrade' as const), level: fc.constantFrom(1, 2, 3), reason: fc.constant('r') }),
) as fc.Arbitrary<AlarmDeed>;

/** What can happen to one device and category, whose events are all pulses or all states. */
const inputs = (category: Category, kind: 'pulse' | 'level') =>
  fc.array(
    fc.record({
      after: fc.integer({ min: 0, max: 600_000 }),
      input: fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({ level: grade, active: fc.boolean() }).map(
            ({ level, active }): Input => ({
              type: 'event',
              event: event('d', category, { kind, active: kind === 'pulse' || active }),
              level,
              drill: false,
              about: about('d'),
            }),
          ),
        },
        { weight: 4, arbitrary: deed.map((what): Input => ({ type: 'deed', deed: what, by: guard, target: null })) },
        {
          weight: 1,
          arbitrary: fc.constantFrom<Input>(
            { type: 'overdue', deadline: 'acknowledge', to: 'manager', due: START },
            { type: 'overdue', deadline: 'close', to: 'centre', due: START },
            { type: 'shelf-over' },
            { type: 'clock-stepped', ms: -3_600_000 },
          ),
        },
      ),
    }),
    { maxLength: 60 },
  );

interface Step {
  readonly input: Input;
  readonly before: Alarm | null;
  readonly after: Alarm | null;
  readonly transitions: readonly Transition[];
}

/** Plays the inputs one after the other, as the board does for one key. */
function play(list: readonly { after: number; input: Input }[]): { steps: Step[]; alarms: Alarm[] } {
  const steps: Step[] = [];
  const alarms = new Map<string, Alarm>();
  let current: Alarm | null = null;
  let now = START;
  let heard = START;
  list.forEach(({ after, input }, i) => {
    now += after;
    const target =
      input.type === 'deed' && input.deed.type === 'merge' && current !== null
        ? { ...current, id: TARGET, handling: 'open' as const }
        : null;
    const outcome = step(current, input.type === 'deed' ? { ...input, target } : input, {
      now,
      id: `alarm-${i}`,
      window: WINDOW,
      sinceLast: now - heard,
      previous: current?.id ?? null,
      mergedIntoOpen: false,
    });
    const transitions = typeof outcome === 'string' ? [] : outcome;
    const before = current;
    for (const { alarm } of transitions) {
      alarms.set(alarm.id, alarm);
      current = alarm;
    }
    if (input.type === 'event' && input.event.active) heard = now;
    steps.push({ input, before, after: current, transitions });
  });
  return { steps, alarms: [...alarms.values()] };
}

const scenario = fc
  .record({
    category: fc.constantFrom<Category>('fire.smoke', 'sos', 'door.held', 'intrusion.climb', 'battery.low'),
    kind: fc.constantFrom<'pulse' | 'level'>('pulse', 'level'),
  })
  .chain(({ category, kind }) => inputs(category, kind));

const always = (check: (played: ReturnType<typeof play>) => void) =>
  fc.assert(
    fc.property(scenario, (list) => check(play(list))),
    { numRuns: 2_000 },
  );

describe('whatever happens in whatever order', () => {
  test('level 1 is never shelved', () => {
    always(({ steps }) => {
      for (const { transitions } of steps) {
        for (const { alarm } of transitions) expect(alarm.level === 1 && alarm.shelvedUntil !== null).toBe(false);
      }
    });
  });

  test('what is closed never opens again, asks for nothing and is shelved no more', () => {
    always(({ steps }) => {
      const closed = new Map<string, Alarm>();
      for (const { transitions } of steps) {
        for (const { alarm } of transitions) {
          const before = closed.get(alarm.id);
          if (before !== undefined) expect(alarm.handling).toBe(before.handling);
          if (!isClosed(alarm)) continue;
          closed.set(alarm.id, alarm);
          expect([asks(alarm), isUnacknowledged(alarm), alarm.shelvedUntil]).toEqual([false, false, null]);
        }
      }
    });
  });

  test('every event is counted exactly once, unless it only repeats what was closed knowingly', () => {
    always(({ steps, alarms }) => {
      const counted = steps.filter(
        ({ input, transitions }) => input.type === 'event' && input.event.active && transitions.length > 0,
      );
      const passedOver = steps.filter(
        ({ input, transitions }) => input.type === 'event' && input.event.active && transitions.length === 0,
      );
      expect(alarms.reduce((sum, { count }) => sum + count, 0)).toBe(counted.length);
      for (const { before } of passedOver) {
        expect(before).toMatchObject({ kind: 'level', condition: 'active-acknowledged' });
        expect(before !== null && isClosed(before)).toBe(true);
      }
    });
  });

  test('an unacknowledged level-1 alarm goes on asking until a person does something about it', () => {
    always(({ steps }) => {
      for (const { before, after, input } of steps) {
        if (before === null || before.level !== 1 || !asks(before) || input.type === 'deed') continue;
        expect(after !== null && asks(after) && after.level === 1).toBe(true);
      }
    });
  });

  test('fire and SOS leave the latch only by a person or by coming again', () => {
    always(({ steps }) => {
      for (const { before, after, input } of steps) {
        if (before?.condition !== 'latched' || after?.condition === 'latched') continue;
        expect(input.type === 'deed' || (input.type === 'event' && input.event.active)).toBe(true);
      }
    });
  });

  test('no event ends a pulse', () => {
    always(({ steps }) => {
      for (const { transitions } of steps) {
        for (const { kind, alarm } of transitions)
          expect(kind === 'alarm.cleared' && alarm.kind === 'pulse').toBe(false);
      }
    });
  });

  test('the level never falls, the revision never falls, and an acknowledgement has its name and time', () => {
    always(({ steps }) => {
      const known = new Map<string, Alarm>();
      for (const { transitions } of steps) {
        for (const { alarm } of transitions) {
          const before = known.get(alarm.id);
          known.set(alarm.id, alarm);
          if (before !== undefined) {
            expect(alarm.level).toBeLessThanOrEqual(before.level);
            expect(alarm.revision).toBeGreaterThanOrEqual(before.revision);
          }
          expect(isUnacknowledged(alarm)).toBe(alarm.acknowledgedAt === null);
          expect(alarm.acknowledgedBy === null).toBe(alarm.acknowledgedAt === null);
        }
      }
    });
  });

  test('nothing is closed without a result or a reason on record', () => {
    always(({ steps }) => {
      for (const { transitions } of steps) {
        for (const { kind, alarm, change } of transitions) {
          if (kind === 'alarm.closed') expect(alarm.result).not.toBeNull();
          if (kind === 'alarm.closed' && change['stillActive'] === true) expect(change['reason']).toBeDefined();
          if (kind === 'alarm.false') expect(change['reason']).toBeDefined();
        }
      }
    });
  });

  test('a new alarm of the same device and category names the one before', () => {
    always(({ alarms }) => {
      alarms.forEach(({ previous }, i) => {
        expect(previous).toBe(i === 0 ? null : alarms[i - 1]?.id);
      });
    });
  });
});
