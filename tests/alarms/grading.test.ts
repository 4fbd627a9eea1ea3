import { describe, expect, test } from 'vitest';
import { defaultGrade, Grading } from '../../src/alarms/grading.ts';
import { isBetween, minuteOfDay } from '../../src/alarms/time-of-day.ts';
import { CATEGORIES, type Category } from '../../src/devices/event.ts';
import { alarmsConfig, event } from './site.ts';

const NOON = Date.UTC(2026, 5, 1, 4); // 12:00 in Shanghai

function grading(rules: unknown[], timezone = 'Asia/Shanghai', lifeSafety: (device: string) => boolean = () => false) {
  return new Grading({ rules: alarmsConfig({ rules }).rules, timezone, lifeSafety });
}
const grade = (by: Grading, category: Category, more: { device?: string; place?: string; at?: number } = {}) =>
  by.grade({ category, device: 'd', place: '', at: NOON, ...more });

describe('without rules', () => {
  test('everything that may cost a life is level 1', () => {
    for (const category of Object.keys(CATEGORIES) as Category[]) {
      if (CATEGORIES[category].lifeSafety) expect(defaultGrade(category)).toEqual([1, 1]);
    }
  });

  test('climbing and forcing a door are 2, a held door 3, a resident’s report 4, passing a door none', () => {
    const by = grading([]);
    const levels = (['intrusion.climb', 'door.forced', 'door.held', 'report.resident', 'access.granted'] as const).map(
      (category) => grade(by, category),
    );
    expect(levels).toEqual([2, 2, 3, 4, null]);
  });

  test('tampering with, the silence and the empty battery of a life-safety device are graver', () => {
    const by = grading([], 'Asia/Shanghai', (device) => device === 'call-point');
    for (const [category, plain, grave] of [
      ['tamper', 3, 2],
      ['device.offline', 3, 2],
      ['battery.low', 4, 3],
    ] as const) {
      expect([grade(by, category), grade(by, category, { device: 'call-point' })]).toEqual([plain, grave]);
    }
  });
});

describe('rules', () => {
  test('the first that holds decides', () => {
    const by = grading([
      { name: 'the north fence', when: { category: 'intrusion.*', place: 'north' }, level: 1 },
      { name: 'all fences', when: { category: 'intrusion.*' }, level: 3 },
      { name: 'never reached', when: { category: 'intrusion.climb' }, level: 4 },
    ]);
    expect(grade(by, 'intrusion.climb', { place: 'north/3' })).toBe(1);
    expect(grade(by, 'intrusion.loiter', { place: 'south' })).toBe(3);
    expect(grade(by, 'door.forced')).toBe(2);
  });

  test('match a device by its id or the beginning of it', () => {
    const by = grading([
      { name: 'one', when: { device: 'gate-1' }, level: 4 },
      { name: 'many', when: { device: 'cam-*', category: 'motion' }, level: 3 },
    ]);
    expect([grade(by, 'door.held', { device: 'gate-1' }), grade(by, 'door.held', { device: 'gate-11' })]).toEqual([
      4, 3,
    ]);
    expect([grade(by, 'motion', { device: 'cam-7' }), grade(by, 'motion', { device: 'xcam-7' })]).toEqual([3, null]);
  });

  test('can keep something in the journal without an alarm, but never fire or SOS', () => {
    const by = grading([{ name: 'test bench', when: { device: 'bench-*' }, record: true }]);
    expect(grade(by, 'door.forced', { device: 'bench-1' })).toBeNull();
    expect(grade(by, 'fire.smoke', { device: 'bench-1' })).toBe(1);
  });

  for (const [what, rule] of [
    ['silences fire', { name: 'x', when: { category: 'fire.*' }, record: true }],
    ['names no category there is', { name: 'x', when: { category: 'fire.bell' }, level: 2 }],
    ['names a family there is not', { name: 'x', when: { category: 'water.*' }, level: 2 }],
    ['says neither a level nor record', { name: 'x', when: { category: 'motion' } }],
    ['says both', { name: 'x', when: { category: 'motion' }, level: 2, record: true }],
  ] as const) {
    test(`a rule that ${what} is refused with its place in the configuration`, () => {
      expect(() => grading([{ name: 'fine', when: {}, level: 3 }, rule])).toThrow(
        expect.objectContaining({ code: 'BAD_CONFIG', where: 'alarms.rules[1]' }),
      );
    });
  }

  test('a time of day is the site’s, may pass midnight, and includes its beginning but not its end', () => {
    const by = grading([{ name: 'night', when: { category: 'motion', between: ['22:00', '06:00'] }, level: 2 }]);
    const at = (hours: number, minutes = 0) => grade(by, 'motion', { at: Date.UTC(2026, 5, 1, hours - 8, minutes) });
    expect([at(21, 59), at(22), at(23, 59), at(24), at(29, 59), at(30)]).toEqual([null, 2, 2, 2, 2, null]);
  });

  test('what is told late is graded by the time it happened', () => {
    const by = grading([{ name: 'night', when: { category: 'motion', between: ['22:00', '06:00'] }, level: 2 }]);
    const night = Date.UTC(2026, 4, 31, 15); // 23:00 the day before
    expect(by.ofEvent(event('d', 'motion', { replayed: true, deviceTime: night }), '', NOON)).toBe(2);
    expect(by.ofEvent(event('d', 'motion', { deviceTime: night }), '', NOON)).toBeNull();
    expect(by.ofEvent(event('d', 'motion', { replayed: true }), '', NOON)).toBeNull();
  });
});

describe('time of day where clocks change', () => {
  const minute = minuteOfDay('Europe/Berlin');

  test('the hour that summer time leaves out never comes', () => {
    // 2026-03-29: 01:59 CET is followed by 03:00 CEST.
    expect([minute(Date.UTC(2026, 2, 29, 0, 59)), minute(Date.UTC(2026, 2, 29, 1, 0))]).toEqual([119, 180]);
  });

  test('the hour that is repeated counts twice', () => {
    // 2026-10-25: 02:59 CEST is followed by 02:00 CET.
    expect([minute(Date.UTC(2026, 9, 25, 0, 30)), minute(Date.UTC(2026, 9, 25, 1, 30))]).toEqual([150, 150]);
  });

  test('every minute of both days is shown as the clocks there show it', () => {
    for (const day of [Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 9, 24, 22)]) {
      const format = new Intl.DateTimeFormat('de', { timeZone: 'Europe/Berlin', hour: 'numeric', minute: 'numeric' });
      for (let i = 0; i < 25 * 60; i += 7) {
        const [h, m] = format.format(day + i * 60_000).split(':');
        expect(minute(day + i * 60_000)).toBe(Number(h) * 60 + Number(m));
      }
    }
  });

  test('an interval that begins where it ends is the whole day', () => {
    expect([isBetween(0, 480, 480), isBetween(480, 480, 480)]).toEqual([true, true]);
  });
});
