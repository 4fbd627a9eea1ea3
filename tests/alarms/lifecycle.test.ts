import { describe, expect, test } from 'vitest';
import { AlarmDeed } from '../../src/alarms/actions.ts';
import { type Alarm, asks, laneOf, rings } from '../../src/alarms/alarm.ts';
import { step } from '../../src/alarms/lifecycle.ts';
import type { Context, Input, Transition } from '../../src/alarms/transition.ts';
import type { Category, DeviceEvent } from '../../src/devices/event.ts';
import { about, event, guard, level, manager } from './site.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 5, 1, 4);

/** One alarm and the time around it. */
class Case {
  alarm: Alarm | null = null;
  now = START;
  kinds: string[] = [];
  #last = START;

  input(input: Input): readonly Transition[] | string {
    const context: Context = {
      now: this.now,
      id: `alarm-${this.kinds.length}`,
      window: 5 * MINUTE,
      sinceLast: this.now - this.#last,
      previous: this.alarm?.id ?? null,
      mergedIntoOpen: false,
    };
    const outcome = step(this.alarm, input, context);
    if (typeof outcome === 'string') return outcome;
    for (const { kind, alarm } of outcome) {
      this.kinds.push(kind.slice(6));
      this.alarm = alarm;
    }
    if (input.type === 'event' && input.event.active) this.#last = this.now;
    return outcome;
  }

  event(one: DeviceEvent, grade: 1 | 2 | 3 | 4 = 2): this {
    this.input({ type: 'event', event: one, level: grade, drill: one.test, about: about(one.device) });
    return this;
  }

  /** @returns the refusal, or the steps it took */
  deed(what: AlarmDeed, by = guard, more: { target?: Alarm; revision?: number } = {}): string | string[] {
    const outcome = this.input({ type: 'deed', deed: AlarmDeed.parse(what), by, ...more });
    return typeof outcome === 'string' ? outcome : outcome.map(({ kind }) => kind.slice(6));
  }

  get current(): Alarm {
    if (this.alarm === null) throw new Error('nothing was raised');
    return this.alarm;
  }
}

const raised = (category: Category = 'fire.smoke', grade: 1 | 2 | 3 | 4 = 1, kind: 'level' | 'pulse' = 'level') =>
  new Case().event(kind === 'level' ? level('d', category) : event('d', category), grade);

describe('condition (ISA-18.2)', () => {
  test('raised, acknowledged, cleared: back to normal', () => {
    const one = raised('door.held', 3);
    expect(one.current).toMatchObject({ condition: 'active-unacknowledged', handling: 'open', count: 1 });
    one.deed({ type: 'acknowledge' });
    expect(one.current).toMatchObject({ condition: 'active-acknowledged', acknowledgedBy: 'li' });
    one.event(level('d', 'door.held', false));
    expect(one.current).toMatchObject({ condition: 'normal', handling: 'open', clearedAt: START });
  });

  test('gone before anybody acknowledged: still asks, and is normal once acknowledged', () => {
    const one = raised('door.held', 3).event(level('d', 'door.held', false));
    expect(one.current.condition).toBe('cleared-unacknowledged');
    expect(asks(one.current)).toBe(true);
    one.deed({ type: 'acknowledge' });
    expect(one.current.condition).toBe('normal');
  });

  test('fire stays latched after it is acknowledged and gone, until a person resets it with a reason', () => {
    const one = raised('fire.smoke', 1);
    one.deed({ type: 'acknowledge' });
    expect(one.deed({ type: 'reset', reason: 'aired' })).toBe('SOURCE_ACTIVE');
    one.event(level('d', 'fire.smoke', false), 1);
    expect(one.current.condition).toBe('latched');
    one.deed({ type: 'reset', reason: 'cooking, kitchen aired' });
    expect(one.current).toMatchObject({ condition: 'normal', handling: 'open' });
    expect(one.kinds).toEqual(['raised', 'acknowledged', 'cleared', 'reset']);
  });

  test('fire that went before it was acknowledged is latched by the acknowledgement', () => {
    const one = raised('fire.gas', 1).event(level('d', 'fire.gas', false), 1);
    expect(one.deed({ type: 'reset', reason: 'x' })).toBe('NOT_ACKNOWLEDGED');
    one.deed({ type: 'acknowledge' });
    expect(one.current.condition).toBe('latched');
  });

  test('a level-1 grade latches whatever the category; life safety latches whatever the grade', () => {
    for (const one of [raised('intrusion.climb', 1, 'pulse'), raised('fire.camera', 2, 'pulse')]) {
      one.deed({ type: 'acknowledge' });
      expect(one.current.condition).toBe('latched');
    }
  });

  test('a pulse never clears by itself', () => {
    const one = raised('intrusion.cross', 2, 'pulse').event(level('d', 'intrusion.cross', false));
    expect(one.kinds).toEqual(['raised']);
    one.deed({ type: 'acknowledge' });
    expect(one.current.condition).toBe('active-acknowledged');
    one.event(level('d', 'intrusion.cross', false));
    expect(one.current.condition).toBe('active-acknowledged');
    expect(one.deed({ type: 'reset', reason: 'x' })).toBe('NOT_LATCHED');
  });

  test('an SOS pressed again after it was acknowledged asks again and counts', () => {
    const one = raised('sos', 1, 'pulse');
    one.deed({ type: 'acknowledge' });
    one.now += 30 * MINUTE;
    one.event(event('d', 'sos'), 1);
    expect(one.current).toMatchObject({
      condition: 'active-unacknowledged',
      count: 2,
      acknowledgedAt: null,
      acknowledgedBy: null,
      askedAt: one.now,
    });
  });

  test('a state that comes back asks again; one that its device only repeats does not', () => {
    const one = raised('door.held', 3);
    one.deed({ type: 'acknowledge' });
    one.event(level('d', 'door.held'), 3);
    expect(one.current).toMatchObject({ condition: 'active-acknowledged', count: 2 });
    one.event(level('d', 'door.held', false), 3).event(level('d', 'door.held'), 3);
    expect(one.current).toMatchObject({ condition: 'active-unacknowledged', count: 3, clearedAt: null });
  });

  test('smoke reported again after a silence longer than the window asks again: its end may have been lost', () => {
    const one = raised('fire.smoke', 1);
    one.deed({ type: 'acknowledge' });
    one.now += 4 * MINUTE;
    one.event(level('d', 'fire.smoke'), 1);
    expect(one.current.condition).toBe('active-acknowledged');
    one.now += 6 * MINUTE;
    one.event(level('d', 'fire.smoke'), 1);
    expect(one.current.condition).toBe('active-unacknowledged');
  });

  test('a rise of level asks again; a fall changes nothing', () => {
    const one = raised('door.held', 3);
    one.deed({ type: 'acknowledge' });
    one.event(level('d', 'door.held'), 2);
    expect(one.current).toMatchObject({ level: 2, condition: 'active-unacknowledged', count: 2 });
    one.event(level('d', 'door.held'), 4);
    expect(one.current).toMatchObject({ level: 2, count: 3 });
    expect(one.kinds).toEqual(['raised', 'acknowledged', 'regraded', 'repeated']);
  });

  test('what merely happened is one case inside the window and a new one after it', () => {
    const one = raised('intrusion.climb', 2, 'pulse');
    one.now += 5 * MINUTE;
    one.event(event('d', 'intrusion.climb'));
    expect(one.current.count).toBe(2);
    const first = one.current.id;
    one.now += 5 * MINUTE + 1;
    one.event(event('d', 'intrusion.climb'));
    expect(one.current).toMatchObject({ count: 1, previous: first });
    expect(one.current.id).not.toBe(first);
  });

  test('fire of one device counts on until it is closed, whatever the window', () => {
    const one = raised('fire.button', 1, 'pulse');
    one.now += 60 * MINUTE;
    one.event(event('d', 'fire.button'), 1);
    expect(one.current.count).toBe(2);
    one.deed({ type: 'close', result: 'bin fire, out' });
    const first = one.current.id;
    one.event(event('d', 'fire.button'), 1);
    expect(one.current).toMatchObject({ count: 1, previous: first, handling: 'open' });
  });
});

describe('handling up to 销号', () => {
  test('open → accepted → dispatched → handled → closed, with who has it', () => {
    const one = raised('door.forced', 2, 'pulse');
    one.deed({ type: 'accept' });
    expect(one.current).toMatchObject({ handling: 'accepted', assignee: 'li' });
    one.deed({ type: 'dispatch', to: 'repair' });
    expect(one.current).toMatchObject({ handling: 'dispatched', assignee: 'repair' });
    one.deed({ type: 'handle', result: 'lock replaced' });
    expect(one.current).toMatchObject({ handling: 'handled', result: 'lock replaced' });
    one.deed({ type: 'close' }, manager);
    expect(one.current).toMatchObject({ handling: 'closed', closedBy: 'wang', closedAt: START });
    expect(one.kinds).toEqual(['raised', 'acknowledged', 'accepted', 'dispatched', 'handled', 'closed']);
  });

  test('closing needs a result, which may come with it', () => {
    const one = raised('door.forced', 2, 'pulse');
    expect(one.deed({ type: 'close' })).toBe('NOT_HANDLED');
    expect(one.deed({ type: 'close', result: 'door repaired' })).toEqual(['acknowledged', 'handled', 'closed']);
  });

  test('a false alarm, a merged one and a drill close without a result', () => {
    const wrong = raised('intrusion.climb', 2, 'pulse');
    expect(wrong.deed({ type: 'false', reason: 'a cat' })).toEqual(['acknowledged', 'false']);
    const merged = raised('intrusion.climb', 2, 'pulse');
    const target = { ...merged.current, id: '01900000-0000-7000-8000-000000000000' };
    expect(merged.deed({ type: 'merge', into: target.id }, guard, { target })).toEqual(['acknowledged', 'merged']);
    expect(merged.current.mergedInto).toBe(target.id);
    const drill = new Case().event(event('d', 'fire.button', { test: true }), 1);
    expect(drill.deed({ type: 'close' })).toEqual(['acknowledged', 'closed']);
  });

  test('a result that was not good enough is sent back, and can be sent to somebody else', () => {
    const one = raised('door.forced', 2, 'pulse');
    expect(one.deed({ type: 'return', reason: 'x' })).toBe('NOT_HANDLED');
    one.deed({ type: 'handle', result: 'looked at it' });
    one.deed({ type: 'return', reason: 'and the lock?' }, manager);
    expect(one.current).toMatchObject({ handling: 'accepted', assignee: 'li' });
    one.deed({ type: 'handle', result: 'lock replaced' });
    one.deed({ type: 'return', reason: 'it jams', to: 'zhao' }, manager);
    expect(one.current).toMatchObject({ handling: 'dispatched', assignee: 'zhao' });
  });

  test('what the device still reports is closed only with a reason, and raises again once it has gone and come', () => {
    const one = raised('battery.low', 4);
    one.deed({ type: 'handle', result: 'battery ordered' });
    expect(one.deed({ type: 'close' })).toBe('STILL_ACTIVE');
    one.deed({ type: 'close', reason: 'comes on Friday' });
    const { id } = one.current;
    expect(one.current).toMatchObject({ handling: 'closed', condition: 'active-acknowledged' });
    one.now += 60 * MINUTE;
    one.event(level('d', 'battery.low'), 4);
    expect(one.current).toMatchObject({ id, count: 1 });
    one.event(level('d', 'battery.low', false), 4);
    expect(one.current).toMatchObject({ id, handling: 'closed', condition: 'normal' });
    one.event(level('d', 'battery.low'), 4);
    expect(one.current).toMatchObject({ previous: id, handling: 'open' });
  });

  test('fire closed while its detector goes on is a new alarm with its next message', () => {
    const one = raised('fire.smoke', 1);
    one.deed({ type: 'close', result: 'steam', reason: 'the detector does not stop' });
    const { id } = one.current;
    one.event(level('d', 'fire.smoke'), 1);
    expect(one.current).toMatchObject({ previous: id, condition: 'active-unacknowledged' });
  });

  test('closing a latched alarm resets it', () => {
    const one = raised('fire.button', 1, 'pulse');
    one.deed({ type: 'acknowledge' });
    expect(one.current.condition).toBe('latched');
    one.deed({ type: 'close', result: 'child played' });
    expect(one.current.condition).toBe('normal');
  });

  test('what comes again after it was handled is not handled any more', () => {
    const one = raised('intrusion.climb', 2, 'pulse');
    one.deed({ type: 'handle', result: 'sent away' });
    one.event(event('d', 'intrusion.climb'));
    expect(one.current).toMatchObject({ handling: 'accepted', condition: 'active-unacknowledged', assignee: 'li' });
    expect(one.deed({ type: 'close' })).toBe('NOT_HANDLED');
  });

  test('a closed alarm takes nothing more but notes', () => {
    const one = raised('door.forced', 2, 'pulse');
    one.deed({ type: 'close', result: 'done' });
    const deeds: AlarmDeed[] = [
      { type: 'acknowledge' },
      { type: 'accept' },
      { type: 'close', result: 'again' },
      { type: 'return', reason: 'x' },
      { type: 'false', reason: 'x' },
      { type: 'shelve', until: START + MINUTE, reason: 'x' },
      { type: 'regrade', level: 1, reason: 'x' },
    ];
    for (const other of deeds) expect(one.deed(other)).toBe('CLOSED');
    expect(one.deed({ type: 'note', note: 'insurance number 7' })).toEqual(['noted']);
    expect(one.current.handling).toBe('closed');
  });

  test('who looked at an older revision is told so; repeats and escalations do not make it older', () => {
    const one = raised('intrusion.climb', 2, 'pulse');
    const { revision } = one.current;
    one.event(event('d', 'intrusion.climb'));
    one.input({ type: 'overdue', deadline: 'acknowledge', to: 'manager', due: START });
    expect(one.deed({ type: 'acknowledge' }, guard, { revision })).toEqual(['acknowledged']);
    expect(one.deed({ type: 'accept' }, guard, { revision })).toBe('STALE');
  });

  test('merging is refused into itself, a closed, a lesser one, or between practice and reality', () => {
    const one = raised('fire.smoke', 1);
    const other = { ...one.current, id: '01900000-0000-7000-8000-000000000001' };
    const merge = (target?: Alarm) =>
      one.deed({ type: 'merge', into: other.id }, guard, target === undefined ? {} : { target });
    expect(merge()).toBe('MERGE_TARGET');
    expect(merge({ ...other, handling: 'closed' })).toBe('MERGE_TARGET');
    expect(merge({ ...other, level: 2 })).toBe('MERGE_GRAVER');
    expect(merge({ ...other, drill: true })).toBe('MERGE_DRILL');
    expect(merge(other)).toEqual(['acknowledged', 'merged']);
  });

  test('a level can be raised by a person, never lowered', () => {
    const one = raised('report.resident', 4, 'pulse');
    one.deed({ type: 'acknowledge' });
    one.deed({ type: 'regrade', level: 1, reason: 'smells of gas' });
    expect(one.current).toMatchObject({ level: 1, condition: 'active-unacknowledged' });
    expect(one.deed({ type: 'regrade', level: 2, reason: 'x' })).toBe('NOT_GRAVER');
  });
});

describe('shelving', () => {
  const shelve = (until: number): AlarmDeed => ({ type: 'shelve', until, reason: 'painters until noon' });

  test('is quiet until it ends, then asks again if nobody has acknowledged', () => {
    const one = raised('door.held', 3);
    one.deed(shelve(START + 60 * MINUTE));
    expect(asks(one.current)).toBe(false);
    one.event(level('d', 'door.held'), 3);
    expect(one.current).toMatchObject({ count: 2, shelvedUntil: START + 60 * MINUTE });
    one.input({ type: 'shelf-over' });
    expect(one.current.shelvedUntil).toBeNull();
    expect(asks(one.current)).toBe(true);
  });

  test('is refused for level 1, into the past and beyond thirty days', () => {
    expect(raised('fire.smoke', 1).deed(shelve(START + MINUTE))).toBe('LEVEL_ONE');
    const one = raised('door.held', 3);
    expect(one.deed(shelve(START))).toBe('SHELF_TIME');
    expect(one.deed(shelve(START + 30 * 86_400_000 + 1))).toBe('SHELF_TIME');
    expect(one.deed({ type: 'unshelve' })).toBe('NOT_SHELVED');
  });

  test('ends at once when it becomes level 1', () => {
    for (const become of [
      (one: Case) => void one.event(level('d', 'door.held'), 1),
      (one: Case) => void one.deed({ type: 'regrade', level: 1, reason: 'smoke behind it' }),
    ]) {
      const one = raised('door.held', 3);
      one.deed(shelve(START + 60 * MINUTE));
      become(one);
      expect(one.kinds.slice(-2)).toEqual(['unshelved', 'regraded']);
      expect(asks(one.current)).toBe(true);
    }
  });
});

describe('practice and what is told late', () => {
  test('ask to be looked at, but neither rings, latches, nor overtakes anything', () => {
    for (const more of [{ test: true }, { replayed: true }]) {
      const one = new Case().event(event('d', 'fire.button', more), 1);
      expect(one.current).toMatchObject({ level: 1, drill: 'test' in more, replayed: 'replayed' in more });
      expect([asks(one.current), rings(one.current), laneOf(one.current)]).toEqual([true, false, 1]);
      one.deed({ type: 'acknowledge' });
      expect(one.current.condition).toBe('active-acknowledged');
    }
    const real = raised('fire.button', 1, 'pulse').current;
    expect([rings(real), laneOf(real)]).toEqual([true, 0]);
  });
});
