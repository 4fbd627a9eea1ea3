import type { Keypoint } from '../picture.ts';

/** COCO order. */
const SHOULDERS = [5, 6] as const;
const WRISTS = [9, 10] as const;
const HIPS = [11, 12] as const;
const KNEES = [13, 14] as const;
const ANKLES = [15, 16] as const;

/** A joint below this was guessed rather than seen. */
export const CONFIDENT = 0.2;
/** A leg that something is concluded from. */
export const CONFIDENT_LEG = 0.25;

const WRIST_ABOVE_SHOULDER = 0.03;
const THIGH = 0.25;
const KNEE_LIFTED = 0.35;
const ANKLES_APART = 0.12;

export interface Posture {
  /** How many of the three signs of climbing show: a hand above its shoulder, a knee drawn up, one foot above the other. */
  readonly signs: 0 | 1 | 2 | 3;
  readonly handUp: boolean;
  readonly kneeUp: boolean;
  readonly feetApart: boolean;
  /** How many of the three could be judged at all. */
  readonly readable: number;
  /** Mean height of the hips, pixels; `null` when they were not seen. */
  readonly hips: number | null;
  /** The lowest joint of a leg that was seen, pixels; `null` without one. */
  readonly leg: number | null;
}

const UNREADABLE: Posture = {
  signs: 0,
  handUp: false,
  kneeUp: false,
  feetApart: false,
  readable: 0,
  hips: null,
  leg: null,
};

/**
 * What a pose says about climbing, from confident joints only.
 * @param pose 17 points (COCO order), pixels
 * @param height of the person, pixels
 */
export function postureOf(pose: readonly Keypoint[] | null, height: number): Posture {
  if (pose === null || pose.length < 17 || !(height > 0)) return UNREADABLE;
  const y = (index: number, least = CONFIDENT): number | null => {
    const point = pose[index];
    return point !== undefined && point.score > least && Number.isFinite(point.y) ? point.y : null;
  };
  /** `judge` of both sides of the body, where both joints were seen. */
  const judged = (a: readonly number[], b: readonly number[], judge: (a: number, b: number) => boolean): boolean[] =>
    [0, 1].flatMap((i) => {
      const [one, other] = [y(a[i] as number), y(b[i] as number)];
      return one === null || other === null ? [] : [judge(one, other)];
    });
  const hands = judged(WRISTS, SHOULDERS, (wrist, shoulder) => shoulder - wrist > WRIST_ABOVE_SHOULDER * height);
  const knees = judged(KNEES, HIPS, (knee, hip) => 1 - (knee - hip) / (THIGH * height) > KNEE_LIFTED);
  const [left, right] = [y(ANKLES[0]), y(ANKLES[1])];
  const feet = left === null || right === null ? [] : [Math.abs(left - right) > ANKLES_APART * height];
  const signs = [hands, knees, feet].map((sides) => sides.includes(true));
  const hips = HIPS.flatMap((index) => y(index) ?? []);
  const legs = [...KNEES, ...ANKLES].flatMap((index) => y(index, CONFIDENT_LEG) ?? []);
  return {
    signs: signs.filter(Boolean).length as Posture['signs'],
    handUp: signs[0] as boolean,
    kneeUp: signs[1] as boolean,
    feetApart: signs[2] as boolean,
    readable: [hands, knees, feet].filter((sides) => sides.length > 0).length,
    hips: hips.length === 0 ? null : hips.reduce((a, b) => a + b, 0) / hips.length,
    leg: legs.length === 0 ? null : Math.max(...legs),
  };
}
