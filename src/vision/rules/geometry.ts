import type { Point } from '../picture.ts';

/** Lines and areas drawn by a person over the picture, in pixels. Whatever was drawn, no answer is NaN. */

export type Fractions = readonly (readonly [number, number])[];

export const toPixels = (points: Fractions, { width, height }: { width: number; height: number }): Point[] =>
  points.map(([x, y]) => ({ x: x * width, y: y * height }));

/** First to last point, in pairs. */
function segments(line: readonly Point[]): [Point, Point][] {
  return line.slice(1).map((to, i) => [line[i] as Point, to]);
}

export function xRange(line: readonly Point[]): { readonly from: number; readonly to: number } {
  const xs = line.map(({ x }) => x);
  return { from: Math.min(...xs), to: Math.max(...xs) };
}

/**
 * The y of a line at an x; beside its ends, the y of the end. Where a line stands upright or turns back several ys lie at
 * one x: `upper` says which of them is taken.
 */
export function levelAt(line: readonly Point[], x: number, upper: boolean): number {
  const { from, to } = xRange(line);
  const at = Math.min(to, Math.max(from, x));
  const ys = segments(line).flatMap(([a, b]) => {
    if (at < Math.min(a.x, b.x) || at > Math.max(a.x, b.x)) return [];
    return a.x === b.x ? [a.y, b.y] : [a.y + ((at - a.x) / (b.x - a.x)) * (b.y - a.y)];
  });
  return upper ? Math.min(...ys) : Math.max(...ys);
}

/** Even-odd rule; points of the edge may fall on either side. */
export function insidePolygon(polygon: readonly Point[], { x, y }: Point): boolean {
  let inside = false;
  polygon.forEach((a, i) => {
    const b = polygon[(i + 1) % polygon.length] as Point;
    if (a.y > y !== b.y > y && x < a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x)) inside = !inside;
  });
  return inside;
}

/** Least distance from a point to a line, pixels. */
export function distanceTo(line: readonly Point[], { x, y }: Point): number {
  return Math.min(
    ...segments(line).map(([a, b]) => {
      const [dx, dy] = [b.x - a.x, b.y - a.y];
      const length = dx * dx + dy * dy;
      const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / length));
      return Math.hypot(x - a.x - along * dx, y - a.y - along * dy);
    }),
  );
}

/** Which side of a → b a point lies on, seen along it: > 0 right, < 0 left (y points down). */
const side = (a: Point, b: Point, p: Point): number => (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);

/**
 * How often the way `from` → `to` crosses a line from its left to its right, less how often back, seen along the line's
 * points: 1 over to the right, -1 over to the left, 0 not across.
 */
export function crossings(line: readonly Point[], from: Point, to: Point): number {
  let net = 0;
  // The same way seen from both ends, so that what exactly touches a corner is judged alike there and back.
  const [p, q] = from.x < to.x || (from.x === to.x && from.y < to.y) ? [from, to] : [to, from];
  for (const [a, b] of segments(line)) {
    // A point exactly on the line counts as being on its left, so that no crossing is lost or counted twice.
    const [before, after] = [side(a, b, from) > 0, side(a, b, to) > 0];
    if (before === after) continue;
    if (side(p, q, a) > 0 === side(p, q, b) > 0) continue;
    net += after ? 1 : -1;
  }
  return net;
}
