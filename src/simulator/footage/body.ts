import {
  add,
  after,
  apply,
  dot,
  length,
  scale,
  smooth,
  sub,
  type Turn,
  turnAbout,
  turnBetween,
  unit,
  type Vec,
} from './geometry.ts';

export const SIDES = ['L', 'R'] as const;
export type Side = (typeof SIDES)[number];
export const SEGMENTS = [
  'pelvis',
  'waist',
  'chest',
  'neck',
  'head',
  ...SIDES.flatMap((side) =>
    (['shoulder', 'upperArm', 'forearm', 'hand', 'thigh', 'shin', 'foot'] as const).map(
      (part) => `${part}.${side}` as const,
    ),
  ),
] as const;
export type Segment = (typeof SEGMENTS)[number];

/** Where the joints are when the body stands upright, faces +z and lets its arms hang. Its left is +x. */
export interface Joints {
  readonly hips: Vec;
  readonly waist: Vec;
  readonly chest: Vec;
  readonly neck: Vec;
  readonly head: Vec;
  readonly clavicle: Record<Side, Vec>;
  readonly shoulder: Record<Side, Vec>;
  readonly elbow: Record<Side, Vec>;
  readonly wrist: Record<Side, Vec>;
  readonly hip: Record<Side, Vec>;
  readonly knee: Record<Side, Vec>;
  readonly ankle: Record<Side, Vec>;
}

/** One posture. Hands and feet are where they are; elbows and knees follow from that. */
export interface Stance {
  /** Middle between the hip joints. */
  readonly hips: Vec;
  /** Which way the body faces: 0 is +z, towards the camera; radians, anticlockwise seen from above. */
  readonly yaw: number;
  /** Forward bend of the pelvis and of the chest beyond it, radians. */
  readonly pitch: number;
  readonly bend: number;
  /** Sideways lean of the pelvis, radians, to the left. */
  readonly lean: number;
  readonly gaze: number;
  readonly hands: Record<Side, Vec>;
  /** Ankles. */
  readonly feet: Record<Side, Vec>;
  /** How far the toes point down, radians. */
  readonly toes: Record<Side, number>;
  /** How far the knees turn outwards, radians; about 0.2 when walking, 1 on a wall. */
  readonly splay: number;
}

/** Where a part of the body has come to: p ↦ turn · p + shift. */
export interface Placed {
  readonly turn: Turn;
  readonly shift: Vec;
}

const placedAt = (turn: Turn, joint: Vec, at: Vec): Placed => ({ turn, shift: sub(at, apply(turn, joint)) });
export const moved = ({ turn, shift }: Placed, point: Vec): Vec => add(apply(turn, point), shift);

/** From hands and feet to all parts: a chain from the hips up, and two-bone limbs (law of cosines). */
export function pose(rest: Joints, stance: Stance): Record<Segment, Placed> {
  const facing = turnAbout([0, 1, 0], stance.yaw);
  const pelvisTurn = after(facing, after(turnAbout([0, 0, 1], -stance.lean), turnAbout([1, 0, 0], stance.pitch)));
  const pelvis = placedAt(pelvisTurn, rest.hips, stance.hips);
  const waist = placedAt(
    after(pelvisTurn, turnAbout([1, 0, 0], stance.bend / 2)),
    rest.waist,
    moved(pelvis, rest.waist),
  );
  const chestTurn = after(pelvisTurn, turnAbout([1, 0, 0], stance.bend));
  const chest = placedAt(chestTurn, rest.chest, moved(waist, rest.chest));
  const neckTurn = after(chestTurn, turnAbout([1, 0, 0], -(stance.pitch + stance.bend) / 2));
  const neck = placedAt(neckTurn, rest.neck, moved(chest, rest.neck));
  const head = placedAt(after(facing, turnAbout([1, 0, 0], stance.gaze)), rest.head, moved(neck, rest.head));
  const parts = { pelvis, waist, chest, neck, head } as Record<Segment, Placed>;
  for (const side of SIDES) {
    arm(parts, rest, side, stance.hands[side]);
    leg(parts, rest, side, stance, facing);
  }
  return parts;
}

function arm(parts: Record<Segment, Placed>, rest: Joints, side: Side, hand: Vec): void {
  const out = side === 'L' ? 1 : -1;
  const { chest } = parts;
  // The shoulder comes up with a raised arm.
  const reach = sub(hand, moved(chest, rest.shoulder[side]));
  const raised = smooth(-0.1, 1, dot(unit(reach), apply(chest.turn, [0, 1, 0])));
  const shrug = turnAbout([0, 0, 1], out * 0.55 * raised);
  const shoulder = placedAt(after(chest.turn, shrug), rest.clavicle[side], moved(chest, rest.clavicle[side]));
  const pole = apply(chest.turn, [out * 0.9, -0.6, -0.4]);
  const [upper, fore] = limb(shoulder, rest.shoulder[side], rest.elbow[side], rest.wrist[side], hand, pole);
  parts[`shoulder.${side}`] = shoulder;
  parts[`upperArm.${side}`] = upper;
  parts[`forearm.${side}`] = fore;
  parts[`hand.${side}`] = placedAt(fore.turn, rest.wrist[side], moved(fore, rest.wrist[side]));
}

function leg(parts: Record<Segment, Placed>, rest: Joints, side: Side, stance: Stance, facing: Turn): void {
  const out = side === 'L' ? 1 : -1;
  const pole = apply(facing, [out * Math.sin(stance.splay), 0.15, Math.cos(stance.splay)]);
  const [thigh, shin] = limb(parts.pelvis, rest.hip[side], rest.knee[side], rest.ankle[side], stance.feet[side], pole);
  const splayed = after(facing, turnAbout([0, 1, 0], out * stance.splay * 0.5));
  parts[`thigh.${side}`] = thigh;
  parts[`shin.${side}`] = shin;
  parts[`foot.${side}`] = placedAt(
    after(splayed, turnAbout([1, 0, 0], stance.toes[side])),
    rest.ankle[side],
    moved(shin, rest.ankle[side]),
  );
}

/** Two bones from `root` that reach for `goal`, bent towards `pole`. A goal too far is reached for, not reached. */
function limb(parent: Placed, root: Vec, joint: Vec, end: Vec, goal: Vec, pole: Vec): [Placed, Placed] {
  const [first, second] = [length(sub(joint, root)), length(sub(end, joint))];
  const from = moved(parent, root);
  const line = sub(goal, from);
  const far = Math.min(first + second - 0.005, Math.max(Math.abs(first - second) + 0.02, length(line)));
  const along = unit(line);
  const aside = unit(sub(pole, scale(along, dot(pole, along))));
  const cosine = (first * first + far * far - second * second) / (2 * first * far);
  const middle = add(
    from,
    add(scale(along, first * cosine), scale(aside, first * Math.sqrt(Math.max(0, 1 - cosine * cosine)))),
  );
  const tip = add(from, scale(along, far));
  const upperTurn = after(turnBetween(apply(parent.turn, sub(joint, root)), sub(middle, from)), parent.turn);
  const upper = placedAt(upperTurn, root, from);
  const lowerTurn = after(turnBetween(apply(upperTurn, sub(end, joint)), sub(tip, middle)), upperTurn);
  return [upper, placedAt(lowerTurn, joint, middle)];
}
