import { describe, expect, test } from 'vitest';
import { wallMs } from '../../../src/kernel/clock.ts';
import { inTimes, TimeOfDay } from '../../../src/vision/rules/schedule.ts';

const at = (text: string) => wallMs(Date.parse(text));

describe('the schedule of a fence', () => {
  test('goes by the clock on the wall of the site, also where summer time begins', () => {
    expect(new TimeOfDay('Asia/Shanghai').at(at('2026-06-01T14:30:59Z'))).toBe(22 * 60 + 30);
    expect(new TimeOfDay('Asia/Shanghai').at(at('2026-06-01T16:00:00Z'))).toBe(0);
    const berlin = new TimeOfDay('Europe/Berlin');
    expect(berlin.at(at('2026-03-29T00:59:00Z'))).toBe(60 + 59);
    expect(berlin.at(at('2026-03-29T01:00:00Z'))).toBe(3 * 60);
    // The clock was wrong and has been set back.
    expect(berlin.at(at('2026-03-29T00:59:30Z'))).toBe(60 + 59);
  });

  test.each([
    [[], 700, true],
    [[['08:00', '18:00']], 479, false],
    [[['08:00', '18:00']], 480, true],
    [[['08:00', '18:00']], 1_080, false],
    [[['22:00', '06:00']], 1_319, false],
    [[['22:00', '06:00']], 1_320, true],
    [[['22:00', '06:00']], 0, true],
    [[['22:00', '06:00']], 359, true],
    [[['22:00', '06:00']], 360, false],
    [[['08:00', '08:00']], 3, true],
    [
      [
        ['12:00', '13:00'],
        ['22:00', '06:00'],
      ],
      750,
      true,
    ],
  ] as [[string, string][], number, boolean][])('%j at minute %i: %s', (times, minute, expected) => {
    expect(inTimes(times, minute)).toBe(expected);
  });
});
