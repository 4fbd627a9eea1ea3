import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Point } from '../../../src/vision/picture.ts';
import { crossings } from '../../../src/vision/rules/geometry.ts';
import { LineRule } from '../../../src/vision/rules/line.ts';
import { ZoneRule } from '../../../src/vision/rules/zone.ts';
import { type Moment, path, seen, watch } from './people.ts';

const points = (...xy: [number, number][]): Point[] => xy.map(([x, y]) => ({ x, y }));
const of = (moment: Moment) => seen(1, moment);
const told = (rule: LineRule | ZoneRule, moments: readonly Moment[], armed = true) =>
  watch(rule, moments, of, armed).map(({ at, finding }) => [
    at / 1_000,
    finding.type,
    'direction' in finding ? finding.direction : null,
  ]);

/** Drawn from left to right: its right side, seen along it, is below it in the picture. */
const across = points([100, 200], [300, 200], [500, 220]);
const line = (direction: 'both' | 'in' | 'out' = 'both') => new LineRule({ id: 'line-1', points: across, direction });
const down = path({ x: 250, y: 120, height: 100 }, [{ doing: 'walking', seconds: 4, y: 300 }]);
const up = path({ x: 250, y: 300, height: 100 }, [{ doing: 'walking', seconds: 4, y: 120 }]);

describe('a line', () => {
  test('tells once, with the direction, when a foot crosses it', () => {
    expect(told(line(), down)).toEqual([[2.2, 'line', 'in']]);
    expect(told(line(), up)).toEqual([[2.6, 'line', 'out']]);
  });

  test('tells only the direction that was asked for, and nothing outside its times', () => {
    expect(told(line('out'), down)).toEqual([]);
    expect(told(line('out'), up)).toHaveLength(1);
    expect(told(line(), down, false)).toEqual([]);
  });

  test('tells each way of who goes and comes back', () => {
    const there = path({ x: 250, y: 120, height: 100 }, [
      { doing: 'walking', seconds: 4, y: 300 },
      { doing: 'walking', seconds: 4, y: 120 },
    ]);
    expect(told(line(), there).map(([, , direction]) => direction)).toEqual(['in', 'out']);
  });

  test('is silent for who stands or dithers on it, comes near it, or goes round its end', () => {
    const dithering = Array.from({ length: 50 }, (_, i) => ({
      at: i * 200,
      x: 250,
      y: 200 + (i % 2 === 0 ? 5 : -5),
      height: 100,
      doing: 'standing' as const,
    }));
    expect(told(line(), dithering)).toEqual([]);
    expect(
      told(
        line(),
        path({ x: 250, y: 120, height: 100 }, [
          { doing: 'walking', seconds: 3, y: 190 },
          { doing: 'walking', seconds: 3, y: 120 },
        ]),
      ),
    ).toEqual([]);
    expect(told(line(), path({ x: 60, y: 120, height: 100 }, [{ doing: 'walking', seconds: 4, y: 300 }]))).toEqual([]);
    const round = path({ x: 150, y: 150, height: 60 }, [
      { doing: 'walking', seconds: 3, x: 50 },
      { doing: 'walking', seconds: 3, y: 300 },
      { doing: 'walking', seconds: 3, x: 250 },
    ]);
    expect(told(line(), round)).toEqual([]);
  });

  test('one box that jumps over it is no crossing', () => {
    const jumping = path({ x: 250, y: 160, height: 100 }, [{ doing: 'standing', seconds: 4 }]).map((one, i) =>
      i === 9 ? { ...one, y: 260 } : one,
    );
    expect(told(line(), jumping)).toEqual([]);
  });

  test('however it is drawn, each way over it counts once and the way back takes it back', () => {
    const point = fc.record({ x: fc.integer({ min: 0, max: 640 }), y: fc.integer({ min: 0, max: 360 }) });
    fc.assert(
      fc.property(fc.array(point, { minLength: 2, maxLength: 6 }), point, point, point, (drawn, a, b, c) => {
        expect(crossings(drawn, a, b)).toBe(-crossings(drawn, b, a) || 0);
        // Of a straight line the sides add up, whichever way one goes.
        const straight = [
          { x: -1e6, y: drawn[0]?.y ?? 0 },
          { x: 1e6, y: (drawn[1]?.y ?? 0) + 0.5 },
        ];
        expect(crossings(straight, a, b) + crossings(straight, b, c)).toBe(crossings(straight, a, c));
      }),
      { numRuns: 300 },
    );
  });
});

const square = points([200, 150], [400, 150], [400, 300], [200, 300]);
const zone = (loiter: number | null) => new ZoneRule({ id: 'zone-1', points: square, loiter });
const visit = (seconds: number) =>
  path({ x: 100, y: 220, height: 80 }, [
    { doing: 'walking', seconds: 3, x: 250 },
    { doing: 'standing', seconds },
    { doing: 'walking', seconds: 3, x: 100 },
  ]);

describe('an area', () => {
  test('tells once when somebody has come in', () => {
    expect(told(zone(null), visit(30))).toEqual([[2.4, 'area', null]]);
    expect(told(zone(null), visit(30), false)).toEqual([]);
  });

  test('tells again of who left for more than three seconds, not of who stepped out', () => {
    const twice = (away: number) =>
      path({ x: 250, y: 220, height: 80 }, [
        { doing: 'standing', seconds: 3 },
        { doing: 'walking', seconds: 0.4, x: 150 },
        { doing: 'standing', seconds: away },
        { doing: 'walking', seconds: 0.4, x: 250 },
        { doing: 'standing', seconds: 3 },
      ]);
    expect(told(zone(null), twice(1))).toHaveLength(1);
    expect(told(zone(null), twice(4))).toHaveLength(2);
  });

  test('loitering is told once the time is over, and counts on over a step outside', () => {
    expect(told(zone(10_000), visit(7))).toEqual([]);
    expect(told(zone(10_000), visit(30))).toEqual([[12, 'loiter', null]]);
    const stepping = path({ x: 250, y: 220, height: 80 }, [
      { doing: 'standing', seconds: 6 },
      { doing: 'walking', seconds: 0.4, x: 190 },
      { doing: 'walking', seconds: 0.4, x: 250 },
      { doing: 'standing', seconds: 6 },
    ]);
    expect(told(zone(10_000), stepping)).toEqual([[10, 'loiter', null]]);
  });

  test('who passes beside it, or only leans in with the head, is not in it', () => {
    expect(told(zone(null), path({ x: 100, y: 320, height: 100 }, [{ doing: 'walking', seconds: 6, x: 500 }]))).toEqual(
      [],
    );
  });

  test('two people are two stays', () => {
    const rule = zone(null);
    const findings = visit(5).flatMap((moment) => {
      const other = { ...moment, x: moment.x + 40 };
      return rule.look([seen(1, moment), seen(2, other)], moment.at as never, true);
    });
    expect(findings.map(({ track }) => track).sort()).toEqual([1, 2]);
  });

  test('nothing that can be drawn or walked makes it speak without a foot inside', () => {
    const point = fc.record({ x: fc.integer({ min: 0, max: 640 }), y: fc.integer({ min: 0, max: 360 }) });
    fc.assert(
      fc.property(fc.array(point, { minLength: 3, maxLength: 8 }), fc.integer({ min: 700, max: 900 }), (drawn, x) => {
        const rule = new ZoneRule({ id: 'z', points: drawn, loiter: null });
        expect(told(rule, path({ x, y: 100, height: 80 }, [{ doing: 'walking', seconds: 5, y: 400 }]))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
