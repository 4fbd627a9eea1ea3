/** Points in metres: x to the right along the wall, y up, z from the wall towards the camera. Right-handed. */
export type Vec = readonly [number, number, number];
/** A rotation, row by row. */
export type Turn = readonly [number, number, number, number, number, number, number, number, number];

export const NO_TURN: Turn = [1, 0, 0, 0, 1, 0, 0, 0, 1];

export const add = (a: Vec, b: Vec): Vec => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const sub = (a: Vec, b: Vec): Vec => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec, by: number): Vec => [a[0] * by, a[1] * by, a[2] * by];
export const dot = (a: Vec, b: Vec): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const length = (a: Vec): number => Math.hypot(a[0], a[1], a[2]);
export const cross = (a: Vec, b: Vec): Vec => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const unit = (a: Vec): Vec => scale(a, 1 / Math.max(length(a), 1e-9));
export const mix = (a: Vec, b: Vec, share: number): Vec => add(scale(a, 1 - share), scale(b, share));

export const apply = (m: Turn, v: Vec): Vec => [
  m[0] * v[0] + m[1] * v[1] + m[2] * v[2],
  m[3] * v[0] + m[4] * v[1] + m[5] * v[2],
  m[6] * v[0] + m[7] * v[1] + m[8] * v[2],
];

/** First `b`, then `a`. */
export function after(a: Turn, b: Turn): Turn {
  const row = (r: 0 | 3 | 6, c: 0 | 1 | 2) =>
    a[r] * b[c] +
    a[r === 0 ? 1 : r === 3 ? 4 : 7] * b[c === 0 ? 3 : c === 1 ? 4 : 5] +
    a[r === 0 ? 2 : r === 3 ? 5 : 8] * b[c === 0 ? 6 : c === 1 ? 7 : 8];
  return [row(0, 0), row(0, 1), row(0, 2), row(3, 0), row(3, 1), row(3, 2), row(6, 0), row(6, 1), row(6, 2)];
}

/** Right-handed turn by `angle` radians about a unit axis (Rodrigues). */
export function turnAbout(axis: Vec, angle: number): Turn {
  const [x, y, z] = axis;
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const d = 1 - c;
  return [
    c + x * x * d,
    x * y * d - z * s,
    x * z * d + y * s,
    y * x * d + z * s,
    c + y * y * d,
    y * z * d - x * s,
    z * x * d - y * s,
    z * y * d + x * s,
    c + z * z * d,
  ];
}

/** The smallest turn that brings direction `from` onto direction `to`. */
export function turnBetween(from: Vec, to: Vec): Turn {
  const [a, b] = [unit(from), unit(to)];
  const axis = cross(a, b);
  const sine = length(axis);
  if (sine > 1e-6) return turnAbout(scale(axis, 1 / sine), Math.atan2(sine, dot(a, b)));
  if (dot(a, b) > 0) return NO_TURN;
  return turnAbout(unit(cross(a, Math.abs(a[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0])), Math.PI);
}

/** 0 before `from`, 1 after `to`, and a smooth way between. */
export function smooth(from: number, to: number, at: number): number {
  const t = Math.min(1, Math.max(0, (at - from) / (to - from)));
  return t * t * (3 - 2 * t);
}
