import type { At, Edge, EdgeRef, Settings, ShapeList, ShapeRef } from '../types.ts';

/** What is drawn on a picture, as lists of points: reading and replacing them, without touching what was there before. */

export const LISTS = ['fences', 'lines', 'zones', 'masks'] as const satisfies readonly ShapeList[];
/** As the configuration has it. */
export const MOST_SHAPES = 16;
export const MOST_POINTS = 32;
/** Of the picture's width: two points of a fence's edge are at least this far apart. */
const APART = 0.002;

export const edgesOf = (list: ShapeList): readonly Edge[] => (list === 'fences' ? ['top', 'base'] : ['points']);
export const isClosed = (list: ShapeList): boolean => list === 'zones' || list === 'masks';
export const leastPoints = (list: ShapeList): number => (isClosed(list) ? 3 : 2);

export function pointsOf(settings: Settings, { list, index, edge }: EdgeRef): readonly At[] {
  if (list === 'masks') return settings.masks[index] ?? [];
  if (list === 'fences') return settings.fences[index]?.[edge === 'base' ? 'base' : 'top'] ?? [];
  return settings[list][index]?.points ?? [];
}

export function withPoints(settings: Settings, { list, index, edge }: EdgeRef, points: readonly At[]): Settings {
  if (list === 'masks') return { ...settings, masks: settings.masks.with(index, points) };
  const key = list === 'fences' ? edge : 'points';
  return withShape(settings, { list, index }, { [key]: points });
}

/** The shape with some of its keys changed; a key that is `undefined` is taken out. */
export function withShape(settings: Settings, { list, index }: ShapeRef, change: object): Settings {
  const shape = list === 'masks' ? undefined : settings[list][index];
  if (list === 'masks' || shape === undefined) return settings;
  const kept = Object.entries({ ...shape, ...change }).filter(([, value]) => value !== undefined);
  return { ...settings, [list]: settings[list].map((one, i) => (i === index ? Object.fromEntries(kept) : one)) };
}

export function without(settings: Settings, { list, index }: ShapeRef): Settings {
  return { ...settings, [list]: settings[list].filter((_, i) => i !== index) };
}

/** @param drawn one polyline, or the two of a fence */
export function added(settings: Settings, list: ShapeList, drawn: readonly (readonly At[])[]): Settings {
  const [first = [], second = []] = drawn;
  if (list === 'masks') return { ...settings, masks: [...settings.masks, first] };
  const id = freeId(settings, { fences: 'fence', lines: 'line', zones: 'zone' }[list]);
  const shape = list === 'fences' ? { id, top: first, base: second } : { id, points: first };
  return { ...settings, [list]: [...settings[list], { ...shape, times: [] }] };
}

function freeId({ fences, lines, zones }: Settings, word: string): string {
  const taken = new Set([...fences, ...lines, ...zones].map(({ id }) => id));
  let n = 1;
  while (taken.has(`${word}-${n}`)) n += 1;
  return `${word}-${n}`;
}

export const within = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;

/** Points of a fence's edge run from left to right, whichever was touched first. */
export function inserted(list: ShapeList, points: readonly At[], at: At, after = points.length - 1): At[] {
  if (list === 'fences') {
    const place = points.findIndex(([x]) => x > at[0]);
    const free = moved(
      list,
      points.toSpliced(place < 0 ? points.length : place, 0, at),
      place < 0 ? points.length : place,
      at,
    );
    return free;
  }
  return points.toSpliced(after + 1, 0, at);
}

/** A point somewhere else; one of a fence's edge stays between its neighbours. */
export function moved(list: ShapeList, points: readonly At[], point: number, [x, y]: At): At[] {
  let at = x;
  if (list === 'fences') {
    const left = points[point - 1]?.[0];
    const right = points[point + 1]?.[0];
    if (right !== undefined) at = Math.min(at, right - APART);
    if (left !== undefined) at = Math.max(at, left + APART);
  }
  return points.map((one, i) => (i === point ? [within(at), within(y)] : one));
}

/** A shape in the middle of the picture, for whoever goes on by keyboard. */
export function readyMade(list: ShapeList): At[][] {
  if (list === 'fences') return [flat(0.35), flat(0.65)];
  if (list === 'lines') return [flat(0.5)];
  return [
    [
      [0.3, 0.4],
      [0.7, 0.4],
      [0.7, 0.7],
      [0.3, 0.7],
    ],
  ];
}
const flat = (y: number): At[] => [
  [0.2, y],
  [0.8, y],
];
