import { type MonoMs, monoMs } from '../../../src/kernel/clock.ts';
import type { Box, Keypoint } from '../../../src/vision/picture.ts';
import type { Finding, Rule, Seen } from '../../../src/vision/rules/rule.ts';

/** People made of numbers: where they stand, what they do, and the box and joints a camera would find. */

export type Doing = 'walking' | 'standing' | 'waving' | 'climbing';

export interface Moment {
  readonly at: number;
  /** The foot point, pixels. */
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly doing: Doing;
  /** Pixels from the top of the box that are seen; the rest is hidden by something. */
  readonly visible?: number;
}

/** Joints in heights above the foot and to the right of it: shoulders, wrists, hips, knees, ankles, left and right. */
const FIGURES: Record<Doing, (phase: number) => Record<'shoulder' | 'wrist' | 'hip' | 'knee' | 'ankle', number[]>> = {
  standing: () => ({
    shoulder: [0.82, 0.82],
    wrist: [0.48, 0.48],
    hip: [0.52, 0.52],
    knee: [0.28, 0.28],
    ankle: [0.04, 0.04],
  }),
  walking: (phase) => {
    const step = 0.06 * Math.abs(Math.sin(phase));
    return {
      shoulder: [0.82, 0.82],
      wrist: [0.5, 0.46],
      hip: [0.52, 0.52],
      knee: [0.28, 0.29],
      ankle: [0.04, 0.04 + step],
    };
  },
  waving: () => ({
    shoulder: [0.82, 0.82],
    wrist: [1.05, 1.02],
    hip: [0.52, 0.52],
    knee: [0.28, 0.28],
    ankle: [0.04, 0.04],
  }),
  climbing: (phase) => {
    const left = Math.sin(phase) > 0;
    return {
      shoulder: [0.8, 0.8],
      wrist: left ? [1.02, 0.9] : [0.9, 1.02],
      hip: [0.45, 0.45],
      knee: left ? [0.36, 0.24] : [0.24, 0.36],
      ankle: left ? [0.2, 0.02] : [0.02, 0.2],
    };
  },
};

const ORDER = { shoulder: 5, wrist: 9, hip: 11, knee: 13, ankle: 15 } as const;

export function seen(track: number, moment: Moment, confidence = 0.6, score = 0.7): Seen {
  const { x, y, height, doing, visible } = moment;
  const figure = FIGURES[doing](moment.at / 200);
  const top = y - height * (doing === 'waving' || doing === 'climbing' ? 1.08 : 1);
  const box: Box = {
    x1: x - 0.2 * height,
    x2: x + 0.2 * height,
    y1: top,
    y2: visible === undefined ? y : Math.min(y, top + visible),
  };
  const pose: Keypoint[] = Array.from({ length: 17 }, () => ({ x, y: y - 0.9 * height, score: confidence }));
  for (const [joint, first] of Object.entries(ORDER)) {
    figure[joint as keyof typeof ORDER].forEach((above, i) => {
      const at = y - above * height;
      pose[first + i] = { x: x + (i === 0 ? -0.1 : 0.1) * height, y: at, score: at > box.y2 ? 0.05 : confidence };
    });
  }
  return { track, box, score, pose };
}

/** Moments from one place to the next at a frame rate; each leg begins where the one before ended. */
export function path(
  start: { readonly x: number; readonly y: number; readonly height: number },
  legs: readonly { readonly doing: Doing; readonly seconds: number; readonly x?: number; readonly y?: number }[],
  fps = 5,
): Moment[] {
  const moments: Moment[] = [];
  let from = start;
  let began = 0;
  for (const { doing, seconds, x = from.x, y = from.y } of legs) {
    const steps = Math.max(1, Math.round(seconds * fps));
    for (let i = 0; i < steps; i++) {
      const part = i / steps;
      moments.push({
        at: began + (i * 1_000) / fps,
        x: from.x + part * (x - from.x),
        y: from.y + part * (y - from.y),
        height: from.height,
        doing,
      });
    }
    began += (steps * 1_000) / fps;
    from = { x, y, height: from.height };
  }
  moments.push({ at: began, ...from, doing: legs.at(-1)?.doing ?? 'standing' });
  return moments;
}

export interface Told {
  readonly at: number;
  readonly finding: Finding;
}

/** Everything a rule says of one person. */
export function watch(
  rule: Rule,
  moments: readonly (Moment | null)[],
  of: (moment: Moment) => Seen,
  armed = true,
): Told[] {
  let last: MonoMs = monoMs(0);
  return moments.flatMap((moment) => {
    if (moment === null) return [];
    last = monoMs(moment.at);
    return rule.look([of(moment)], last, armed).map((finding) => ({ at: moment.at, finding }));
  });
}
