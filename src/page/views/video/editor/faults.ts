import type { WordKey } from '../../../words/words.ts';
import type { At, Settings, ShapeRef } from '../types.ts';

/** What is wrong with what was drawn, said while it is drawn. The gateway has the last word. */
export interface Fault extends ShapeRef {
  readonly word: WordKey;
  /** It cannot be saved so. */
  readonly grave: boolean;
}

const PLACES = 16;
/** Of the picture's area. */
const SMALLEST = 1e-5;

export function faultsOf({ fences, lines, zones, masks }: Settings): Fault[] {
  const empty = (list: 'zones' | 'masks', points: readonly At[], index: number): Fault[] =>
    area(points) < SMALLEST ? [{ list, index, word: 'video.faultEmpty', grave: true }] : [];
  return [
    ...fences.flatMap(({ top, base, direction = 'both', inside }, index) => {
      const at = { list: 'fences', index } as const;
      const side: Fault[] =
        direction !== 'both' && inside === undefined ? [{ ...at, word: 'video.faultSide', grave: true }] : [];
      return [...side, ...edgeFaults(top, base).map((fault) => ({ ...at, ...fault }))];
    }),
    ...lines.flatMap(({ points }, index): Fault[] =>
      points.every(([x, y]) => x === points[0]?.[0] && y === points[0]?.[1])
        ? [{ list: 'lines', index, word: 'video.faultPoint', grave: true }]
        : [],
    ),
    ...zones.flatMap(({ points }, index) => empty('zones', points, index)),
    ...masks.flatMap((points, index) => empty('masks', points, index)),
  ];
}

function edgeFaults(top: readonly At[], base: readonly At[]): Pick<Fault, 'word' | 'grave'>[] {
  const from = Math.max(top[0]?.[0] ?? 0, base[0]?.[0] ?? 0);
  const to = Math.min(top.at(-1)?.[0] ?? 1, base.at(-1)?.[0] ?? 1);
  if (from >= to) return [{ word: 'video.faultApart', grave: true }];
  const places = Array.from({ length: PLACES + 1 }, (_, i) => from + ((to - from) * i) / PLACES);
  const below = places.filter((x) => heightAt(top, x) >= heightAt(base, x)).length;
  if (below === places.length) return [{ word: 'video.faultUpsideDown', grave: true }];
  return below > 0 ? [{ word: 'video.faultCrossing', grave: false }] : [];
}

/** y at x, of a polyline that runs from left to right. */
export function heightAt(line: readonly At[], x: number): number {
  for (let i = 1; i < line.length; i += 1) {
    const [left, right] = [line[i - 1] as At, line[i] as At];
    if (x <= right[0]) return left[1] + ((right[1] - left[1]) * (x - left[0])) / (right[0] - left[0]);
  }
  return line.at(-1)?.[1] ?? 0;
}

function area(points: readonly At[]): number {
  const doubled = points.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length] as At;
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(doubled) / 2;
}
