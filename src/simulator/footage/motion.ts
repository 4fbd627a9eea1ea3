import type { Joints, Side, Stance } from './body.ts';
import { add, length, mix, scale, smooth, sub, type Vec } from './geometry.ts';

/** Who moves how: a posture for every moment, `null` while the person is not there. Seconds. */
export type Motion = (t: number) => Stance | null;

/** Height of the ankle above the ground, metres. */
const ANKLE = 0.09;
const STEP = 0.68;
const FACING_WALL = Math.PI;

const both = <T>(left: T, right: T): Record<Side, T> => ({ L: left, R: right });

export function mixed(a: Stance, b: Stance, share: number): Stance {
  const between = (one: number, other: number) => one + (other - one) * share;
  return {
    hips: mix(a.hips, b.hips, share),
    yaw: between(a.yaw, b.yaw),
    pitch: between(a.pitch, b.pitch),
    bend: between(a.bend, b.bend),
    lean: between(a.lean, b.lean),
    gaze: between(a.gaze, b.gaze),
    hands: both(mix(a.hands.L, b.hands.L, share), mix(a.hands.R, b.hands.R, share)),
    feet: both(mix(a.feet.L, b.feet.L, share), mix(a.feet.R, b.feet.R, share)),
    toes: both(between(a.toes.L, b.toes.L), between(a.toes.R, b.toes.R)),
    splay: between(a.splay, b.splay),
  };
}

/** The same seen in a mirror that stands across the wall at x = 0. */
export function mirrored(stance: Stance): Stance {
  const flip = ([x, y, z]: Vec): Vec => [-x, y, z];
  return {
    ...stance,
    hips: flip(stance.hips),
    yaw: -stance.yaw,
    lean: -stance.lean,
    hands: both(flip(stance.hands.R), flip(stance.hands.L)),
    feet: both(flip(stance.feet.R), flip(stance.feet.L)),
    toes: both(stance.toes.R, stance.toes.L),
  };
}

export function standing(joints: Joints, at: Vec, yaw: number): Stance {
  const [ahead, left] = directions(yaw);
  const from = (aside: number, forward: number, up: number): Vec =>
    add(add([at[0], up, at[2]], scale(left, aside)), scale(ahead, forward));
  const height = joints.hips[1] - 0.02;
  return {
    hips: from(0, 0, height),
    yaw,
    pitch: 0.02,
    bend: 0.04,
    lean: 0,
    gaze: 0.05,
    hands: both(from(0.25, 0.05, height - 0.08), from(-0.25, 0.05, height - 0.08)),
    feet: both(from(0.1, 0, ANKLE), from(-0.1, 0, ANKLE)),
    toes: both(0, 0),
    splay: 0.2,
  };
}

const directions = (yaw: number): [Vec, Vec] => [
  [Math.sin(yaw), 0, Math.cos(yaw)],
  [Math.cos(yaw), 0, -Math.sin(yaw)],
];

/** @param gone metres walked so far: the feet follow from it, so that they stand still on the ground */
export function walking(joints: Joints, at: Vec, yaw: number, gone: number): Stance {
  const still = standing(joints, at, yaw);
  const [ahead] = directions(yaw);
  const foot = (phase: number): { forward: number; up: number; toes: number } => {
    const f = phase - Math.floor(phase);
    if (f < 0.5) return { forward: STEP * (0.5 - 2 * f), up: 0, toes: f < 0.4 ? 0 : (f - 0.4) * 5 };
    const u = (f - 0.5) * 2;
    return { forward: STEP * (smooth(0, 1, u) - 0.5), up: 0.12 * Math.sin(Math.PI * u), toes: 0.5 * (1 - u) - 0.2 * u };
  };
  const phase = gone / (2 * STEP);
  const [left, right] = [foot(phase), foot(phase + 0.5)];
  const go = (point: Vec, forward: number, up: number): Vec => add(add(point, scale(ahead, forward)), [0, up, 0]);
  const swing = (forward: number) => -forward * 0.75;
  const raise = (forward: number) => 0.05 + 0.25 * Math.max(0, swing(forward)) ** 1.5;
  return {
    ...still,
    hips: go(still.hips, 0, -0.035 + 0.02 * Math.cos(4 * Math.PI * phase)),
    pitch: 0.05,
    bend: 0.06,
    hands: both(
      go(still.hands.L, swing(left.forward), raise(left.forward)),
      go(still.hands.R, swing(right.forward), raise(right.forward)),
    ),
    feet: both(go(still.feet.L, left.forward, left.up), go(still.feet.R, right.forward, right.up)),
    toes: both(left.toes, right.toes),
  };
}

/** Along a line of points on the ground at an even pace, turning at its corners; stands at its end. */
export function walk(
  joints: Joints,
  points: readonly Vec[],
  begins: number,
  pace = 1.25,
): { motion: Motion; ends: number } {
  const legs = points.slice(1).map((to, nth) => {
    const from = points[nth] as Vec;
    const [x, , z] = sub(to, from);
    return { from, to, far: length(sub(to, from)), yaw: Math.atan2(x, z) };
  });
  for (let nth = 1; nth < legs.length; nth += 1) {
    const [before, here] = [legs[nth - 1], legs[nth]];
    if (before !== undefined && here !== undefined) here.yaw = nearest(here.yaw, before.yaw);
  }
  const total = legs.reduce((sum, { far }) => sum + far, 0);
  const ends = begins + total / pace;
  const at = (gone: number): Stance => {
    let left = Math.min(gone, total);
    for (const [nth, leg] of legs.entries()) {
      if (left <= leg.far || nth === legs.length - 1) {
        const before = legs[nth - 1];
        const yaw = before === undefined ? leg.yaw : before.yaw + (leg.yaw - before.yaw) * smooth(0, 0.6, left);
        return walking(joints, mix(leg.from, leg.to, Math.min(1, left / leg.far)), yaw, gone);
      }
      left -= leg.far;
    }
    return standing(joints, points[0] ?? [0, 0, 0], 0);
  };
  const last = legs[legs.length - 1];
  const still = standing(joints, last?.to ?? [0, 0, 0], last?.yaw ?? 0);
  const motion: Motion = (t) => {
    if (t < begins) return null;
    return mixed(at((t - begins) * pace), still, smooth(ends - 0.15, ends + 0.25, t));
  };
  return { motion, ends };
}

/** The same angle, at most half a turn from `to`. */
const nearest = (angle: number, to: number): number => angle + 2 * Math.PI * Math.round((to - angle) / (2 * Math.PI));

/** One quantity over time: it rests between its moves. */
type Track<T> = readonly { readonly at: number; readonly for: number; readonly to: T }[];

function follow<T>(track: Track<T>, start: T, t: number, between: (a: T, b: T, share: number) => T): T {
  return track.reduce((value, move) => between(value, move.to, smooth(move.at, move.at + move.for, t)), start);
}
const number = (a: number, b: number, share: number): number => a + (b - a) * share;

export interface Climb {
  readonly motion: Motion;
  /** When the second foot leaves the ground, when a leg hangs on either side, when both feet are down again; seconds. */
  readonly leaves: number;
  readonly straddles: number;
  readonly lands: number;
}

/**
 * Up one side of a wall that stands at z = 0, over, down the other. Hands to the top, one foot against it, pull, other
 * foot, press up, swing a leg over, sit, swing the other, hang, let go.
 * @param x where along the wall
 * @param begins when the person, standing before the wall, lifts the hands
 * @param pace 1: about three seconds from the ground to astride
 */
export function climb(joints: Joints, x: number, top: number, begins: number, pace = 1): Climb {
  const T = (seconds: number): number => begins + seconds / pace;
  const d = (seconds: number): number => seconds / pace;
  const stand = standing(joints, [x, 0, 0.42], FACING_WALL);
  const grip = Math.min(top, joints.hips[1] + 1.16);
  const [leaves, straddles, lands] = [T(1.1), T(4.2), T(6.5)];
  const up = (share: number): number => joints.hips[1] + (top - 0.02 - joints.hips[1]) * share;
  const hips: Track<Vec> = [
    { at: T(0.5), for: d(0.6), to: [x, up(0.02), 0.38] },
    { at: T(1.1), for: d(0.5), to: [x - 0.04, up(0.45), 0.36] },
    { at: T(1.5), for: d(0.6), to: [x + 0.03, up(0.78), 0.34] },
    { at: T(2.2), for: d(0.8), to: [x, up(1), 0.26] },
    { at: T(3.2), for: d(0.9), to: [x + 0.04, top + 0.12, 0.06] },
    { at: T(4.7), for: d(0.7), to: [x, top + 0.02, -0.22] },
    { at: T(5.3), for: d(0.9), to: [x, Math.max(1.12, top - 0.95), -0.36] },
    { at: T(6.2), for: d(0.3), to: [x, 0.66, -0.5] },
    { at: T(6.5), for: d(0.6), to: [x, stand.hips[1], -0.5] },
  ];
  const handL: Track<Vec> = [
    { at: T(0), for: d(0.5), to: [x - 0.24, grip, 0.05] },
    { at: T(1.6), for: d(0.4), to: [x - 0.26, top + 0.02, 0.02] },
    { at: T(3.4), for: d(0.4), to: [x - 0.42, top + 0.02, 0.04] },
    { at: T(4.6), for: d(0.4), to: [x + 0.24, top + 0.02, 0] },
    { at: T(6.1), for: d(0.4), to: [x + 0.3, 1.0, -0.35] },
  ];
  const handR: Track<Vec> = [
    { at: T(0.15), for: d(0.5), to: [x + 0.24, grip, 0.05] },
    { at: T(1.9), for: d(0.4), to: [x + 0.26, top + 0.02, 0.02] },
    { at: T(3.1), for: d(0.4), to: [x - 0.36, top + 0.02, -0.06] },
    { at: T(5.0), for: d(0.4), to: [x - 0.24, top + 0.02, 0] },
    { at: T(6.1), for: d(0.4), to: [x - 0.3, 1.0, -0.35] },
  ];
  const footL: Track<Vec> = [
    { at: leaves, for: d(0.4), to: [x - 0.2, top * 0.48, 0.09] },
    { at: T(2.2), for: d(0.45), to: [x - 0.2, top * 0.66, 0.09] },
    { at: T(3.0), for: d(0.6), to: [x - 0.05, top - 0.68, 0.22] },
    { at: T(4.5), for: d(0.35), to: [x + 0.3, top + 0.2, 0.2] },
    { at: T(4.85), for: d(0.4), to: [x + 0.15, top - 0.7, -0.2] },
    { at: T(5.4), for: d(0.8), to: [x + 0.12, Math.max(ANKLE + 0.25, top - 1.75), -0.35] },
    { at: T(6.2), for: d(0.3), to: [x + 0.14, ANKLE, -0.45] },
  ];
  const footR: Track<Vec> = [
    { at: T(0.55), for: d(0.45), to: [x + 0.18, 0.55, 0.1] },
    { at: T(1.35), for: d(0.4), to: [x + 0.2, top * 0.58, 0.09] },
    { at: T(2.6), for: d(0.4), to: [x + 0.25, top * 0.72, 0.09] },
    { at: T(3.3), for: d(0.5), to: [x + 0.5, top + 0.3, 0.12] },
    { at: T(3.75), for: d(0.45), to: [x + 0.08, top - 0.66, -0.24] },
    { at: T(5.0), for: d(0.5), to: [x - 0.15, top - 0.75, -0.25] },
    { at: T(5.4), for: d(0.8), to: [x - 0.12, Math.max(ANKLE + 0.25, top - 1.75), -0.35] },
    { at: T(6.2), for: d(0.3), to: [x - 0.14, ANKLE, -0.45] },
  ];
  const yaw: Track<number> = [
    { at: T(3.3), for: d(0.9), to: FACING_WALL + 1.25 },
    { at: T(4.6), for: d(0.7), to: 2 * Math.PI },
  ];
  const pitch: Track<number> = [
    { at: T(1.1), for: d(0.6), to: 0.12 },
    { at: T(2.3), for: d(0.7), to: 0.5 },
    { at: T(3.5), for: d(0.7), to: 0.15 },
    { at: T(4.6), for: d(0.6), to: 0.35 },
    { at: T(5.3), for: d(0.6), to: 0.05 },
    { at: T(6.2), for: d(0.3), to: 0.4 },
    { at: T(6.6), for: d(0.5), to: 0.02 },
  ];
  const motion: Motion = (t) => ({
    hips: follow(hips, stand.hips, t, mix),
    yaw: follow(yaw, stand.yaw, t, number),
    pitch: follow(pitch, stand.pitch, t, number),
    bend: 0.1,
    lean: 0,
    gaze: follow(
      [
        { at: T(0), for: d(0.5), to: -0.35 },
        { at: T(2.3), for: d(0.6), to: 0.2 },
      ],
      stand.gaze,
      t,
      number,
    ),
    hands: both(follow(handL, stand.hands.L, t, mix), follow(handR, stand.hands.R, t, mix)),
    feet: both(follow(footL, stand.feet.L, t, mix), follow(footR, stand.feet.R, t, mix)),
    toes: both(climbing(t, leaves, lands) * 0.35, climbing(t, T(0.6), lands) * 0.35),
    splay: 0.2 + 0.65 * climbing(t, T(0.6), T(3.3)),
  });
  return { motion, leaves, straddles, lands };
}

const climbing = (t: number, from: number, to: number): number =>
  smooth(from, from + 0.3, t) * (1 - smooth(to - 0.2, to + 0.2, t));

/** Stands before the wall and waves, stretches, reaches up; the feet stay where they are. */
export function reaching(joints: Joints, at: Vec, yaw: number, begins: number, lasts: number): Motion {
  const still = standing(joints, at, yaw);
  const [ahead, left] = directions(yaw);
  const high = (aside: number, forward: number, up: number): Vec =>
    add(add([at[0], joints.hips[1] + up, at[2]], scale(left, aside)), scale(ahead, forward));
  return (t) => {
    const raised = smooth(begins, begins + 0.6, t) * (1 - smooth(begins + lasts - 0.6, begins + lasts, t));
    const wave = Math.sin((t - begins) * 5) * 0.12;
    return {
      ...still,
      gaze: still.gaze - 0.3 * raised,
      hands: both(
        mix(still.hands.L, high(0.28 + wave, 0.12, 1.05), raised),
        mix(still.hands.R, high(-0.28 + wave, 0.12, 1.08), raised),
      ),
    };
  };
}

/** One after the other; each takes over at its time and lasts to the next. */
export function inTurn(...parts: readonly { readonly from: number; readonly motion: Motion }[]): Motion {
  return (t) => {
    const now = parts.findLastIndex(({ from }) => t >= from);
    const here = parts[now]?.motion(t) ?? null;
    const before = parts[now - 1];
    const since = t - (parts[now]?.from ?? 0);
    // A body does not jump from one posture to the next.
    const last = here !== null && before !== undefined && since < 0.35 ? before.motion(t) : null;
    return here !== null && last !== null ? mixed(last, here, smooth(0, 0.35, since)) : here;
  };
}
