import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { monoMs } from '../../../src/kernel/clock.ts';
import { ClimbingRule } from '../../../src/vision/rules/climbing.ts';
import type { Sensitivity } from '../../../src/vision/rules/evidence.ts';
import type { FenceShape } from '../../../src/vision/rules/fence.ts';
import { type Moment, path, seen, type Told, watch } from './people.ts';

/** A straight fence: its base at y 260, its top at y 140, as high as a person of 100 px can climb. */
const SHAPE: FenceShape = {
  id: 'fence-1',
  top: [
    { x: 50, y: 140 },
    { x: 590, y: 140 },
  ],
  base: [
    { x: 50, y: 260 },
    { x: 590, y: 260 },
  ],
  direction: 'both',
  inside: null,
};
const GROUND = 264;
const rule = (shape: Partial<FenceShape> = {}, sensitivity: Sensitivity = 'normal') =>
  new ClimbingRule({ ...SHAPE, ...shape }, sensitivity);
const of = (moment: Moment) => seen(1, moment);
const short = ({ at, finding }: Told) => `${(at / 1_000).toFixed(1)} ${finding.type}`;

/** Comes from the left, climbs within `seconds`, sits on top. */
const climb = (seconds: number, { height = 100, fps = 5, x = 300, from = GROUND } = {}) =>
  path(
    { x: x - 120, y: from, height },
    [
      { doing: 'walking', seconds: 2, x },
      { doing: 'standing', seconds: 1 },
      { doing: 'climbing', seconds, y: 165 },
      { doing: 'climbing', seconds: 2, y: 160 },
    ],
    fps,
  );
const LEAVES = 3_000;

describe('a climb', () => {
  test('is warned of and then alarmed, once each, however fast and at whatever frame rate', () => {
    fc.assert(
      fc.property(
        fc.record({
          seconds: fc.double({ min: 1, max: 5, noNaN: true }),
          height: fc.integer({ min: 70, max: 130 }),
          fps: fc.constantFrom(4, 5, 8, 10, 15),
          x: fc.integer({ min: 100, max: 560 }),
        }),
        ({ seconds, ...rest }) => {
          const told = watch(rule(), climb(seconds, rest), of);
          expect(told.map(({ finding }) => finding.type)).toEqual(['climb', 'cross']);
          const [warn, alarm] = told as [Told, Told];
          expect(warn.at).toBeGreaterThan(LEAVES);
          expect(alarm.at).toBeGreaterThanOrEqual(warn.at);
          for (const { finding } of told) {
            expect(finding).toMatchObject({ track: 1, zone: 'fence-1', rule: 'ascent' });
            expect('posture' in finding && finding.posture).toBeGreaterThanOrEqual(0.5);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('taking two seconds is warned of within 1.5 s of the feet leaving the ground, and alarmed by the time the hips are up', () => {
    const [warn, alarm] = watch(rule(), climb(2), of);
    expect(warn?.at).toBeLessThanOrEqual(LEAVES + 1_500);
    expect(alarm?.at).toBeLessThanOrEqual(LEAVES + 2_400);
  });

  test('is found although every third frame shows nobody, and half of the joints are guessed', () => {
    const moments = climb(3).map((moment, i) => (i % 3 === 2 ? null : moment));
    const doubtful = (moment: Moment) => seen(1, moment, moment.at % 400 === 0 ? 0.6 : 0.1);
    expect(watch(rule(), moments, doubtful).map(({ finding }) => finding.type)).toEqual(['climb', 'cross']);
  });

  test('that is given up half way is a warning only', () => {
    const moments = path({ x: 300, y: GROUND, height: 100 }, [
      { doing: 'standing', seconds: 2 },
      { doing: 'climbing', seconds: 1.5, y: 215 },
      { doing: 'climbing', seconds: 1.5 },
      { doing: 'climbing', seconds: 1, y: GROUND },
      { doing: 'standing', seconds: 3 },
    ]);
    expect(watch(rule(), moments, of).map(({ finding }) => finding.type)).toEqual(['climb']);
  });

  test('is told once although the tracker loses the climber and gives another number', () => {
    const number = (moment: Moment) => (moment.at < 4_400 ? 1 : moment.at < 5_200 ? 2 : 3);
    const moments = climb(3).filter(({ at }) => at !== 4_400 && at !== 4_600);
    const told = watch(rule(), moments, (moment) => seen(number(moment), moment));
    expect(told.map(({ finding }) => finding.type)).toEqual(['climb', 'cross']);
  });

  test('is told again after three seconds back on the ground', () => {
    const again = (rest: number) =>
      path({ x: 300, y: GROUND, height: 100 }, [
        { doing: 'standing', seconds: 2 },
        { doing: 'climbing', seconds: 2, y: 165 },
        { doing: 'climbing', seconds: 1 },
        { doing: 'climbing', seconds: 1, y: GROUND },
        { doing: 'standing', seconds: rest },
        { doing: 'climbing', seconds: 2, y: 165 },
        { doing: 'climbing', seconds: 1 },
      ]);
    expect(watch(rule(), again(1), of)).toHaveLength(2);
    expect(watch(rule(), again(5), of).map(({ finding }) => finding.type)).toEqual([
      'climb',
      'cross',
      'climb',
      'cross',
    ]);
  });

  test('of two at once is told of each', () => {
    const both = rule();
    const told = climb(2).flatMap((moment) =>
      both.look([seen(1, moment), seen(2, { ...moment, x: moment.x + 90 })], monoMs(moment.at), true),
    );
    expect(told.map(({ type, track }) => `${type} ${track}`).sort()).toEqual([
      'climb 1',
      'climb 2',
      'cross 1',
      'cross 2',
    ]);
  });

  test('outside its times is not told; when the times begin meanwhile it is', () => {
    expect(watch(rule(), climb(2), of, false)).toEqual([]);
    const one = rule();
    const told = climb(2).flatMap((moment) =>
      one.look([of(moment)], monoMs(moment.at), moment.at >= 5_000).map((finding) => ({ at: moment.at, finding })),
    );
    expect(told.map(short)).toEqual(['5.0 climb', '5.0 cross']);
  });
});

describe('which way', () => {
  const from = (y: number) =>
    path({ x: 200, y, height: 100 }, [
      { doing: 'walking', seconds: 2, x: 300 },
      { doing: 'climbing', seconds: 2, y: 165 },
      { doing: 'climbing', seconds: 2 },
    ]);
  const directions = (shape: Partial<FenceShape>, y: number) =>
    watch(rule(shape), from(y), of).map(({ finding }) => ('direction' in finding ? finding.direction : null));

  test('somebody came from is the direction; without a side called inside there is none', () => {
    expect(directions({ inside: 'near' }, 270)).toEqual([null, 'out']);
    expect(directions({ inside: 'far' }, 270)).toEqual([null, 'in']);
    // Behind a wire fence the feet stand above its base in the picture.
    expect(directions({ inside: 'near' }, 248)).toEqual([null, 'in']);
    expect(directions({}, 270)).toEqual([null, null]);
  });

  test('only the one that was asked for is told', () => {
    expect(directions({ inside: 'near', direction: 'in' }, 270)).toEqual([]);
    expect(directions({ inside: 'near', direction: 'out' }, 270)).toHaveLength(2);
  });
});

describe('what is no climb', () => {
  const walk = fc.record({
    y: fc.integer({ min: 255, max: 400 }),
    slope: fc.integer({ min: -6, max: 6 }),
    height: fc.integer({ min: 50, max: 160 }),
    doing: fc.constantFrom('walking' as const, 'standing' as const, 'waving' as const),
    sensitivity: fc.constantFrom<Sensitivity>('low', 'normal', 'high'),
    jitter: fc.double({ min: 0, max: 0.04, noNaN: true }),
  });

  test('any way along the fence or in front of it, with the arms raised or not, at any sensitivity', () => {
    fc.assert(
      fc.property(walk, ({ y, slope, height, doing, sensitivity, jitter }) => {
        const moments = path({ x: 20, y, height }, [
          { doing, seconds: 4, x: 300, y: y + slope },
          { doing: 'waving', seconds: 3 },
          { doing, seconds: 4, x: 620, y },
        ]).map((moment, i) => ({ ...moment, y: moment.y + (i % 2 === 0 ? 1 : -1) * jitter * height }));
        expect(watch(rule({}, sensitivity), moments, of)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('any way behind a wire fence, the arms raised or not', () => {
    fc.assert(
      fc.property(
        fc.record({
          y: fc.integer({ min: 150, max: 262 }),
          to: fc.integer({ min: 150, max: 262 }),
          height: fc.integer({ min: 50, max: 110 }),
          doing: fc.constantFrom('walking' as const, 'standing' as const, 'waving' as const),
        }),
        ({ y, to, height, doing }) => {
          const moments = path({ x: 80, y, height }, [
            { doing, seconds: 5, x: 300, y: to },
            { doing: 'waving', seconds: 2 },
            { doing, seconds: 5, x: 560, y },
          ]);
          expect(watch(rule(), moments, of).map(short)).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('heads and shoulders above a wall, also with raised arms, at any sensitivity', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 60 }),
        fc.constantFrom('walking' as const, 'waving' as const),
        fc.constantFrom<Sensitivity>('low', 'normal', 'high'),
        (above, doing, sensitivity) => {
          const moments = path({ x: 80, y: 140 + 100 - above, height: 100 }, [{ doing, seconds: 8, x: 560 }]).map(
            (moment) => ({ ...moment, visible: above }),
          );
          expect(watch(rule({}, sensitivity), moments, of)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('feet that a hedge hides: the box becomes shorter, and the hips stay where they are', () => {
    const moments = path({ x: 150, y: GROUND, height: 100 }, [
      { doing: 'waving', seconds: 3, x: 250 },
      { doing: 'waving', seconds: 3, x: 330 },
    ]).map((moment) => (moment.at > 3_000 ? { ...moment, visible: 62 } : moment));
    expect(watch(rule(), moments, of)).toEqual([]);
  });

  test('a way straight through it, with a single frame in which the joints were mistaken', () => {
    const moments = path({ x: 300, y: GROUND, height: 100 }, [
      { doing: 'standing', seconds: 2 },
      { doing: 'standing', seconds: 5, y: 150 },
    ]);
    const mistaken = (n: number) =>
      moments.map((one, i): Moment => (i >= 18 && i < 18 + n ? { ...one, doing: 'climbing' } : one));
    expect(watch(rule(), mistaken(1), of)).toEqual([]);
    // As it would be told if several frames said so.
    expect(watch(rule(), mistaken(4), of)).not.toEqual([]);
  });

  test('a jump', () => {
    const moments = path(
      { x: 300, y: GROUND, height: 100 },
      [
        { doing: 'standing', seconds: 2 },
        { doing: 'waving', seconds: 0.3, y: GROUND - 35 },
        { doing: 'waving', seconds: 0.3, y: GROUND },
        { doing: 'standing', seconds: 2 },
      ],
      10,
    );
    expect(watch(rule(), moments, of)).toEqual([]);
  });
});

describe('first seen on the fence', () => {
  const onTop = (doing: Moment['doing'], y = 185) =>
    path({ x: 300, y, height: 100 }, [{ doing, seconds: 4, y: y - 20 }]);

  test('with a leg on this side and the posture of climbing: warning and alarm', () => {
    const told = watch(rule(), onTop('climbing'), of);
    expect(told.map(({ finding }) => finding.type)).toEqual(['climb', 'cross']);
    expect(told[0]?.finding).toMatchObject({ rule: 'first-seen' });
  });

  test('below the top it is a warning only', () => {
    const told = watch(rule(), onTop('climbing', 215), of);
    expect(told.map(({ finding }) => finding.type)).toEqual(['climb']);
  });

  test('upright, with both arms up, or with joints that cannot be read: nothing', () => {
    for (const doing of ['standing', 'walking', 'waving'] as const) {
      expect(watch(rule(), onTop(doing), of)).toEqual([]);
    }
    expect(watch(rule(), onTop('climbing'), (moment) => seen(1, moment, 0.1))).toEqual([]);
    expect(watch(rule(), onTop('climbing'), (moment) => ({ ...seen(1, moment), pose: null }))).toEqual([]);
  });

  test('the direction is not known and not said, and the filter does not silence it', () => {
    const told = watch(rule({ inside: 'near', direction: 'in' }), onTop('climbing'), of);
    expect(told.map(({ finding }) => 'direction' in finding)).toEqual([false, false]);
  });
});

describe('whatever is drawn and whatever is seen', () => {
  const point = fc.record({ x: fc.integer({ min: -50, max: 700 }), y: fc.integer({ min: -50, max: 400 }) });
  const polyline = fc.oneof(
    fc.array(point, { minLength: 2, maxLength: 6 }),
    // Upright, and all on one point.
    fc.tuple(point, fc.integer({ min: 0, max: 300 })).map(([{ x, y }, down]) => [
      { x, y },
      { x, y: y + down },
    ]),
    point.map((one) => [one, one]),
  );
  const moment = fc.record({
    dt: fc.integer({ min: 0, max: 3_000 }),
    track: fc.integer({ min: 1, max: 3 }),
    x: fc.integer({ min: -200, max: 900 }),
    y: fc.integer({ min: -200, max: 700 }),
    height: fc.integer({ min: 1, max: 400 }),
    doing: fc.constantFrom<Moment['doing']>('walking', 'standing', 'waving', 'climbing'),
    confidence: fc.constantFrom(0, 0.22, 0.6),
    armed: fc.boolean(),
  });

  test('no number is NaN, a warning comes before its alarm, and no climb is told twice', () => {
    fc.assert(
      fc.property(polyline, polyline, fc.array(moment, { maxLength: 40 }), (top, base, moments) => {
        const one = new ClimbingRule({ ...SHAPE, top, base }, 'high');
        const again = new ClimbingRule({ ...SHAPE, top, base }, 'high');
        let at = 0;
        const last = new Map<number, string>();
        for (const { dt, track, armed, confidence, ...rest } of moments) {
          at += dt;
          const who = seen(track, { at, ...rest }, confidence);
          expect(typeof one.near(who.box)).toBe('boolean');
          const findings = one.look([who], monoMs(at), armed);
          expect(again.look([who], monoMs(at), armed)).toEqual(findings);
          if (!armed) expect(findings).toEqual([]);
          for (const finding of findings) {
            if (finding.type !== 'climb' && finding.type !== 'cross') throw new Error(finding.type);
            expect(Number.isFinite(finding.posture + finding.score)).toBe(true);
            expect(finding.track).toBe(track);
            last.set(track, finding.type);
          }
          if (findings.some(({ type }) => type === 'cross')) expect(findings.length).toBeLessThanOrEqual(2);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('a fence without height is no fence', () => {
    const flat = { top: SHAPE.base, base: SHAPE.base };
    expect(watch(rule(flat, 'high'), climb(2), of)).toEqual([]);
    expect(watch(rule({ top: SHAPE.base, base: SHAPE.top }, 'high'), climb(2), of)).toEqual([]);
  });
});
