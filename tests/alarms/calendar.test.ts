import { describe, expect, test } from 'vitest';
import { Calendar } from '../../src/alarms/calendar.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (text: string): number => Date.parse(text);

describe('days, weeks and months of a zone', () => {
  test.each([
    ['Asia/Shanghai', '2026-11-26T13:04:33Z', '2026-11-26 21:04:33'],
    ['Asia/Urumqi', '2026-11-26T19:30:00Z', '2026-11-27 01:30:00'],
    ['Asia/Kathmandu', '2026-11-26T18:15:00Z', '2026-11-27 00:00:00'],
    ['America/New_York', '2026-11-01T06:30:00Z', '2026-11-01 01:30:00'],
  ])('clocks in %s show %s as %s', (zone, moment, shown) => {
    expect(new Calendar(zone).text(at(moment))).toBe(shown);
  });

  test('the same moment is another day in Urumqi than in Shanghai', () => {
    const moment = at('2026-11-26T17:00:00Z');
    expect(new Calendar('Asia/Shanghai').startOf('day', moment)).toBe(at('2026-11-26T16:00:00Z'));
    expect(new Calendar('Asia/Urumqi').startOf('day', moment)).toBe(at('2026-11-25T18:00:00Z'));
  });

  test('a week begins on Monday, a month on its first', () => {
    const calendar = new Calendar('Asia/Shanghai');
    // 2026-11-23 is a Monday.
    for (let day = 0; day < 7; day += 1) {
      expect(calendar.startOf('week', at('2026-11-23T09:00:00+08:00') + day * DAY)).toBe(
        at('2026-11-23T00:00:00+08:00'),
      );
    }
    expect(calendar.startOf('week', at('2026-11-22T23:59:59+08:00'))).toBe(at('2026-11-16T00:00:00+08:00'));
    expect(calendar.startOf('month', at('2026-11-30T23:59:59+08:00'))).toBe(at('2026-11-01T00:00:00+08:00'));
    expect(calendar.startOf('week', at('1969-12-31T12:00:00+08:00'))).toBe(at('1969-12-29T00:00:00+08:00'));
  });

  test('spans lie end to end, cut by what was asked for', () => {
    const calendar = new Calendar('Asia/Urumqi');
    const [from, to] = [at('2026-11-10T15:00:00+06:00'), at('2026-12-01T01:00:00+06:00')];
    const weeks = calendar.spans('week', from, to);
    expect(weeks.map((span) => calendar.text(span.from))).toEqual([
      '2026-11-10 15:00:00',
      '2026-11-16 00:00:00',
      '2026-11-23 00:00:00',
      '2026-11-30 00:00:00',
    ]);
    expect(weeks.at(-1)?.to).toBe(to);
    for (const [i, span] of weeks.entries()) expect(span.to).toBe(weeks[i + 1]?.from ?? to);
    expect(calendar.spans('month', from, to).map((span) => calendar.text(span.from).slice(0, 7))).toEqual([
      '2026-11',
      '2026-12',
    ]);
    expect(calendar.spans('day', from, from)).toEqual([]);
  });

  test('a day has 23 or 25 hours where summer time begins or ends, even at midnight', () => {
    const lengths = (zone: string, from: string, days: number) => {
      const calendar = new Calendar(zone);
      const begin = calendar.startOf('day', at(from));
      const spans = calendar.spans('day', begin, begin + days * DAY);
      return spans.slice(0, -1).map((span) => (span.to - span.from) / HOUR);
    };
    expect(lengths('America/New_York', '2026-03-07T17:00:00Z', 4)).toEqual([24, 23, 24, 24]);
    expect(lengths('America/New_York', '2026-10-31T17:00:00Z', 4)).toEqual([24, 25, 24]);
    // Clocks go from 23:59:59 to 01:00 in spring, and from 23:59:59 back to 23:00 in autumn.
    expect(lengths('Asia/Beirut', '2026-03-28T12:00:00Z', 4)).toEqual([24, 23, 24, 24]);
    expect(lengths('Asia/Beirut', '2026-10-24T12:00:00Z', 4)).toEqual([25, 24, 24]);
  });
});
