import { isEverywhere, isLoopback } from './addresses.ts';
import { wantsVision } from './cameras.ts';
import type { CameraConfig, GatewayConfig } from './schema.ts';
import type { Path } from './yaml-source.ts';

type Say = (path: Path, what: string, hint: string) => void;
type At = readonly [x: number, y: number];

export interface Told {
  readonly wrong: Say;
  readonly warn: Say;
  /** `file:line:column` of a key. */
  locate(path: Path): string;
}

/** What the form of a camera's keys cannot tell: whether what was drawn can be a fence, and who is where. */
export function checkVision({ cameras, vision, devices, mqtt }: GatewayConfig, told: Told): void {
  const known = new Set(devices.map(({ id }) => id));
  cameras.forEach((camera, i) => {
    const path = ['cameras', i];
    checkShapes(camera, path, told);
    if (camera.faces === false || camera.faces.opens === undefined || known.has(camera.faces.opens)) return;
    told.wrong(
      [...path, 'faces', 'opens'],
      `there is no device '${camera.faces.opens}' in this file`,
      'name a door of devices',
    );
  });
  if (wantsVision({ cameras, vision })) checkPlace(vision, mqtt, told);
}

function checkPlace(vision: GatewayConfig['vision'], mqtt: GatewayConfig['mqtt'], { wrong, warn }: Told): void {
  if (vision.broker === undefined) {
    if (vision.ca === undefined && mqtt.listen.every(({ url }) => url.startsWith('mqtts:'))) {
      wrong(
        ['mqtt', 'listen'],
        'the vision process of this box has no way to log in',
        'add mqtt://127.0.0.1:1883, or name the CA of the gateway’s certificate as vision.ca',
      );
    }
    if (!isLoopback(vision.listen)) {
      warn(['vision', 'listen'], 'pictures are served to the network', 'http://127.0.0.1:8090, as the gateway is here');
    }
    return;
  }
  if (vision.secret === undefined) {
    wrong(['vision', 'broker'], 'secret is missing', 'on another box it cannot be made by itself: give vision.secret');
  }
  if (isLoopback(vision.listen) || isEverywhere(vision.listen)) {
    warn(
      ['vision', 'listen'],
      'the gateway cannot fetch pictures from there',
      'name the address of the vision box that the gateway reaches',
    );
  }
}

function checkShapes(camera: CameraConfig, path: Path, told: Told): void {
  const first = new Map<string, Path>();
  for (const list of ['fences', 'lines', 'zones'] as const) {
    camera[list].forEach(({ id }, i) => {
      const at = [...path, list, i, 'id'];
      const other = first.get(id);
      if (other === undefined) first.set(id, at);
      else told.wrong(at, `'${id}' is already at ${told.locate(other)}`, 'every name once in a camera');
    });
  }
  camera.fences.forEach((fence, i) => {
    const at = [...path, 'fences', i];
    for (const edge of ['top', 'base'] as const) {
      if (!runsRight(fence[edge])) {
        told.wrong([...at, edge], 'does not run from left to right', 'each point to the right of the one before');
      }
    }
    if (runsRight(fence.top) && runsRight(fence.base)) checkEdges(fence.top, fence.base, at, told);
    if (fence.direction !== 'both' && fence.inside === undefined) {
      told.wrong([...at, 'direction'], 'inside is missing', 'say which side is inside: near or far');
    }
  });
  camera.lines.forEach(({ points }, i) => {
    const [start] = points;
    if (start !== undefined && points.every((point) => same(point, start))) {
      told.wrong([...path, 'lines', i, 'points'], 'is a single point', 'at least two different points');
    }
  });
  camera.zones.forEach(({ points }, i) => {
    if (area(points) < SMALLEST) {
      told.wrong([...path, 'zones', i, 'points'], 'encloses nothing', 'the corners of an area, in order');
    }
  });
  camera.masks.forEach((points, i) => {
    if (area(points) < SMALLEST) {
      told.wrong([...path, 'masks', i], 'encloses nothing', 'the corners of an area, in order');
    }
  });
}

/** Of the picture's area; less is a slip of the hand. */
const SMALLEST = 1e-5;
/** Places along a fence that are looked at. */
const PLACES = 16;

function checkEdges(top: readonly At[], base: readonly At[], path: Path, { wrong, warn }: Told): void {
  const from = Math.max(top[0]?.[0] ?? 0, base[0]?.[0] ?? 0);
  const to = Math.min(top.at(-1)?.[0] ?? 1, base.at(-1)?.[0] ?? 1);
  if (from >= to) {
    wrong([...path, 'base'], 'is not below top anywhere', 'top and base of the same fence: they share their x');
    return;
  }
  const places = Array.from({ length: PLACES + 1 }, (_, i) => from + ((to - from) * i) / PLACES);
  // y grows downwards.
  const upsideDown = places.filter((x) => heightAt(top, x) >= heightAt(base, x)).length;
  if (upsideDown === places.length) {
    wrong([...path, 'top'], 'lies below base', 'y grows downwards: the top of the fence has the smaller y');
  } else if (upsideDown > 0) {
    warn([...path, 'top'], 'crosses base', 'there the fence has no height and nothing is seen');
  }
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
