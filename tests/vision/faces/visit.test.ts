import { describe, expect, test } from 'vitest';
import { monoMs } from '../../../src/kernel/clock.ts';
import { falseAcceptOfAnybody, falseAcceptRate } from '../../../src/vision/faces/rates.ts';
import { type Match, Roster } from '../../../src/vision/faces/roster.ts';
import { type Look, Visit } from '../../../src/vision/faces/visit.ts';
import { direction, photoOf } from './support.ts';

const RULE = { threshold: 0.5, margin: 0.05 };
const BOX = { x1: 0, y1: 0, x2: 80, y2: 100 };
const like = (person: string, similarity: number, margin = 0.3, blocked = false): Look => ({
  match: { person, similarity, margin, blocked, second: null } satisfies Match,
  live: null,
});
const visit = (): Visit => new Visit(1, BOX, monoMs(0));

describe('a visit', () => {
  test('is decided by two of three looks, once', () => {
    const one = visit();
    expect(one.look(like('p1', 0.75), RULE)).toBeNull();
    expect(one.look(like('p1', 0.4), RULE)).toBeNull();
    expect(one.look(like('p1', 0.5), RULE)).toMatchObject({ result: 'known', person: 'p1', similarity: 0.625 });
    expect(one.look(like('p1', 0.9), RULE)).toBeNull();
  });

  test.each([
    ['two looks that are each somebody else', [like('p1', 0.7), like('p2', 0.7)]],
    ['two that agree but lie too far apart', [like('p1', 0.7), like('p1', 0.2), like('p1', 0.2), like('p1', 0.7)]],
    ['a second best that is as good', [like('p1', 0.7, 0.04), like('p1', 0.7, 0.049), like('p1', 0.7, 0)]],
    ['nobody who is near enough', [like('p1', 0.49), like('p1', 0.499), like('p1', 0.46)]],
    ['one look', [like('p1', 0.99)]],
  ])('is not decided by %s', (_, looks) => {
    const one = visit();
    for (const look of looks) expect(one.look(look, RULE)).toBeNull();
  });

  test('of a blocked person says so', () => {
    const one = visit();
    one.look(like('p1', 0.7, 0.3, true), RULE);
    expect(one.look(like('p1', 0.7, 0.3, true), RULE)?.result).toBe('blocked');
  });

  test('with liveness asks for it in each look', () => {
    const rule = { ...RULE, liveness: 0.8 };
    const one = visit();
    const alive = (live: number): Look => ({ ...like('p1', 0.8), live });
    expect(one.look(alive(0.3), rule)).toBeNull();
    expect(one.look(alive(0.9), rule)).toBeNull();
    expect(one.look(alive(0.3), rule)).toBeNull();
    expect(one.look(like('p1', 0.8), rule)).toBeNull();
    one.look(alive(0.9), rule);
    expect(one.look(alive(0.85), rule)).toMatchObject({ result: 'known', live: 0.875 });
  });

  test('calls somebody a stranger only after five looks of which none came near, and corrects itself', () => {
    const one = visit();
    for (let i = 0; i < 4; i += 1) expect(one.look(like('p1', 0.1), RULE)).toBeNull();
    expect(one.look({ match: null, live: null }, RULE)?.result).toBe('stranger');
    one.look(like('p1', 0.7), RULE);
    expect(one.look(like('p1', 0.7), RULE)?.result).toBe('known');
    const doubtful = visit();
    for (let i = 0; i < 8; i += 1) expect(doubtful.look(like('p1', i === 2 ? 0.46 : 0.1), RULE)).toBeNull();
  });

  test('goes on with the box that lies nearest, not with one across the picture', () => {
    const one = visit();
    const moved = (by: number) => ({ x1: BOX.x1 + by, y1: BOX.y1, x2: BOX.x2 + by, y2: BOX.y2 });
    expect(one.continues(moved(5))).toBeGreaterThan(one.continues(moved(40)));
    expect(one.continues(moved(40))).toBeGreaterThan(one.continues(moved(110)));
    expect(one.continues(moved(110))).toBeGreaterThan(0);
    expect(one.continues(moved(300))).toBe(0);
  });
});

describe('the roster', () => {
  const many = (count: number): Roster => {
    const rows = new Float32Array(count * 512);
    for (let i = 0; i < count; i += 1) rows.set(direction(i), i * 512);
    return new Roster(
      Array.from({ length: count }, (_, i) => `p${i}`),
      rows,
    );
  };

  test.each([1, 2, 3, 4, 5, 6, 7, 203])(
    'of %i people finds the best and the second, as plain arithmetic does',
    (count) => {
      const roster = many(count);
      for (const wanted of [0, count - 1, count >> 1]) {
        const probe = photoOf(wanted, 3);
        const all = Array.from({ length: count }, (_, i) => {
          const row = direction(i);
          return { person: `p${i}`, score: row.reduce((sum, value, k) => sum + value * (probe[k] ?? 0), 0) };
        }).sort((a, b) => b.score - a.score);
        const match = roster.match(probe);
        expect(match?.person).toBe(all[0]?.person);
        expect(match?.similarity).toBeCloseTo(all[0]?.score ?? 0, 5);
        expect(match?.second ?? undefined).toBe(all[1]?.person);
        if (all[1] !== undefined) expect(match?.margin).toBeCloseTo((all[0]?.score ?? 0) - all[1].score, 5);
      }
    },
  );

  test('without anybody matches nobody', () => {
    expect(many(0).match(direction(1))).toBeNull();
  });
});

describe('expected false accepts', () => {
  test('are the measured ones at the settings, fall with the threshold and grow with the people', () => {
    expect(falseAcceptRate(0.5)).toBeCloseTo(1.3e-5, 7);
    expect(falseAcceptRate(0.45)).toBeCloseTo(1e-4, 7);
    expect(falseAcceptRate(0.55)).toBeLessThan(falseAcceptRate(0.5));
    expect(falseAcceptRate(0.9)).toBe(1e-6);
    expect(falseAcceptRate(-1)).toBe(1);
    expect(falseAcceptOfAnybody(0.5, 0)).toBe(0);
    expect(falseAcceptOfAnybody(0.5, 1_000)).toBeCloseTo(0.0129, 3);
    expect(falseAcceptOfAnybody(0.5, 20_000)).toBeCloseTo(1 - (1 - 1.3e-5) ** 20_000, 6);
  });
});
