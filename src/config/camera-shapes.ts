import type { CameraSettings } from './cameras.ts';

type At = readonly [x: number, y: number];
type Place = readonly (string | number)[];

/** What is wrong with something drawn on a picture, for people; the hint is for whoever writes the file. */
export const SHAPE_FAULTS = {
  twice: { zh: '名称重复', en: 'is already', hint: 'every name once in a camera' },
  backwards: {
    zh: '须从左到右画',
    en: 'does not run from left to right',
    hint: 'each point to the right of the one before',
  },
  apart: {
    zh: '上沿与墙脚左右没有重合',
    en: 'is not below top anywhere',
    hint: 'top and base of the same fence: they share their x',
  },
  upsideDown: {
    zh: '上沿画在了墙脚下方',
    en: 'lies below base',
    hint: 'y grows downwards: the top of the fence has the smaller y',
  },
  crossing: {
    zh: '上沿与墙脚相交',
    en: 'crosses base',
    hint: 'there the fence has no height and nothing is seen',
  },
  sideless: { zh: '没有说明哪一侧是院内', en: 'inside is missing', hint: 'say which side is inside: near or far' },
  point: { zh: '所有点重合', en: 'is a single point', hint: 'at least two different points' },
  empty: { zh: '没有围出面积', en: 'encloses nothing', hint: 'the corners of an area, in order' },
} as const;

export interface ShapeFault {
  readonly fault: keyof typeof SHAPE_FAULTS;
  /** Path of the key within the camera. */
  readonly at: Place;
  /** It cannot be used so; otherwise it only should not. */
  readonly grave: boolean;
  /** With `twice`: where the name stands already. */
  readonly other?: { readonly id: string; readonly at: Place };
}

type Shapes = Pick<CameraSettings, 'fences' | 'lines' | 'zones' | 'masks'>;

/** Whether what was drawn at a camera can be fences, lines and areas. */
export function shapeFaults(camera: Shapes): ShapeFault[] {
  const { fences, lines, zones, masks } = camera;
  return [
    ...sameNames(camera),
    ...fences.flatMap((fence, i) => fenceFaults(fence, ['fences', i])),
    ...lines.flatMap(({ points }, i) =>
      points.every((point) => same(point, points[0] as At)) ? [grave('point', ['lines', i, 'points'])] : [],
    ),
    ...zones.flatMap(({ points }, i) => (area(points) < SMALLEST ? [grave('empty', ['zones', i, 'points'])] : [])),
    ...masks.flatMap((points, i) => (area(points) < SMALLEST ? [grave('empty', ['masks', i])] : [])),
  ];
}

function sameNames(camera: Shapes): ShapeFault[] {
  const first = new Map<string, Place>();
  return (['fences', 'lines', 'zones'] as const).flatMap((list) =>
    camera[list].flatMap(({ id }, i) => {
      const at = [list, i, 'id'];
      const other = first.get(id);
      if (other !== undefined) return [{ ...grave('twice', at), other: { id, at: other } }];
      first.set(id, at);
      return [];
    }),
  );
}

function fenceFaults({ top, base, direction, inside }: Shapes['fences'][number], path: Place): ShapeFault[] {
  const faults = [
    ...(runsRight(top) ? [] : [grave('backwards', [...path, 'top'])]),
    ...(runsRight(base) ? [] : [grave('backwards', [...path, 'base'])]),
  ];
  if (faults.length === 0) faults.push(...edgeFaults(top, base, path));
  if (direction !== 'both' && inside === undefined) faults.push(grave('sideless', [...path, 'direction']));
  return faults;
}

const grave = (fault: ShapeFault['fault'], at: Place): ShapeFault => ({ fault, at, grave: true });

/** Of the picture's area; less is a slip of the hand. */
const SMALLEST = 1e-5;
/** Places along a fence that are looked at. */
const PLACES = 16;

function edgeFaults(top: readonly At[], base: readonly At[], path: Place): ShapeFault[] {
  const from = Math.max(top[0]?.[0] ?? 0, base[0]?.[0] ?? 0);
  const to = Math.min(top.at(-1)?.[0] ?? 1, base.at(-1)?.[0] ?? 1);
  if (from >= to) return [grave('apart', [...path, 'base'])];
  const places = Array.from({ length: PLACES + 1 }, (_, i) => from + ((to - from) * i) / PLACES);
  // y grows downwards.
  const upsideDown = places.filter((x) => heightAt(top, x) >= heightAt(base, x)).length;
  if (upsideDown === places.length) return [grave('upsideDown', [...path, 'top'])];
  return upsideDown > 0 ? [{ fault: 'crossing', at: [...path, 'top'], grave: false }] : [];
}

/** y of a polyline that runs from left to right, at x. */
function heightAt(line: readonly At[], x: number): number {
  for (let i = 1; i < line.length; i += 1) {
    const [left, right] = [line[i - 1] as At, line[i] as At];
    if (x <= right[0]) return left[1] + ((right[1] - left[1]) * (x - left[0])) / (right[0] - left[0]);
  }
  return line.at(-1)?.[1] ?? 0;
}

const runsRight = (line: readonly At[]): boolean => line.every(([x], i) => i === 0 || x > (line[i - 1]?.[0] ?? 0));
const same = (a: At, b: At): boolean => a[0] === b[0] && a[1] === b[1];

/** Shoelace formula. */
function area(points: readonly At[]): number {
  const doubled = points.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length] as At;
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(doubled) / 2;
}
