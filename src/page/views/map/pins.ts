import type { Alarm } from '../../api/types.ts';
import { asks, isAside } from '../../state/alarm.ts';
import type { Area, Cluster, Layer, Pin, Point, Spot, Trouble } from './types.ts';

/** Arithmetic of the map: what lies where, what is drawn as one, what an alarm belongs to. */

const LAYER_OF: Readonly<Record<string, Layer>> = {
  'call-point': 'safety',
  detector: 'safety',
  camera: 'camera',
  vision: 'camera',
  door: 'door',
  'face-door': 'door',
};

/** @param kind of the device's profile */
export const layerOf = (kind: string | undefined, lifeSafety: boolean): Layer =>
  lifeSafety ? 'safety' : (LAYER_OF[kind ?? ''] ?? 'other');

/** @param alarms gravest first */
export function troubleOf(alarms: readonly Alarm[]): Trouble | null {
  const [worst] = alarms;
  if (worst === undefined) return null;
  return { worst, count: alarms.length, asking: alarms.some((alarm) => asks(alarm) && !isAside(alarm)) };
}

export function byDevice(alarms: readonly Alarm[]): Map<string, Alarm[]> {
  const map = new Map<string, Alarm[]>();
  for (const alarm of alarms) {
    const list = map.get(alarm.device);
    if (list === undefined) map.set(alarm.device, [alarm]);
    else list.push(alarm);
  }
  return map;
}

/** A place is told from the large to the small, `3号楼/2单元/5层`. */
const isIn = (place: string, area: string): boolean => place.split('/').some((part) => part.trim() === area);

/** What an area has to tell: alarms of the plan it opens, and those that say its name and are on no plan themselves. */
export const alarmsOf = (area: Area, alarms: readonly Alarm[], spots: ReadonlyMap<string, Spot>): Alarm[] =>
  alarms.filter((alarm) => {
    const spot = spots.get(alarm.device);
    return spot === undefined ? isIn(alarm.place, area.name) : area.opens !== null && spot.plan === area.opens;
  });

export const centreOf = (points: readonly Point[]): Point => {
  const sum = (at: 0 | 1) => points.reduce((all, point) => all + point[at], 0) / points.length;
  return [sum(0), sum(1)];
};

/** Alarms first, the gravest first: they keep their place, others join them. */
const byGravity = (a: Pin, b: Pin): number => (a.trouble?.worst.level ?? 9) - (b.trouble?.worst.level ?? 9);

/**
 * @param width of the whole plan at this zoom, px; `height` likewise
 * @param reach px within which pins are drawn as one. An alarm is never drawn into a group of calm ones.
 */
export function clustersOf(pins: readonly Pin[], width: number, height: number, reach: number): Cluster[] {
  const cells = new Map<string, { x: number; y: number; calm: boolean; pins: Pin[] }[]>();
  const found: { x: number; y: number; calm: boolean; pins: Pin[] }[] = [];
  for (const pin of [...pins].sort(byGravity)) {
    const [x, y] = [pin.x * width, pin.y * height];
    const [column, row] = [Math.floor(x / reach), Math.floor(y / reach)];
    const calm = pin.trouble === null;
    const near = [-1, 0, 1]
      .flatMap((dx) => [-1, 0, 1].flatMap((dy) => cells.get(`${column + dx}:${row + dy}`) ?? []))
      .find((one) => one.calm === calm && Math.hypot(one.x - x, one.y - y) < reach);
    if (near !== undefined) {
      near.pins.push(pin);
      continue;
    }
    const one = { x, y, calm, pins: [pin] };
    found.push(one);
    const key = `${column}:${row}`;
    cells.set(key, [...(cells.get(key) ?? []), one]);
  }
  return found.map(({ pins: held }) => {
    const [first] = held as [Pin];
    return { key: first.device.id, x: first.x, y: first.y, pins: held };
  });
}

/** How far apart the pins of a group are, as a part of the plan; 0 when they lie on one another. */
export function spreadOf(pins: readonly Pin[]): number {
  const of = (values: number[]) => Math.max(...values) - Math.min(...values);
  return Math.max(of(pins.map(({ x }) => x)), of(pins.map(({ y }) => y)));
}
