import type { MonoMs } from '../../kernel/clock.ts';
import { type Box, heightOf, type Point } from '../picture.ts';
import { footOf, median } from '../tracking/track.ts';
import type { Stretch } from './fence.ts';
import { type Posture, postureOf } from './posture.ts';
import type { Seen } from './rule.ts';

/**
 * One person at one fence, over the last seconds: how they stood on the ground, and what each sighting since says. The
 * words are those of docs/vision.md.
 */

/** Standing on the ground: the foot between this far in front of the base and this far above it, in fence heights. */
const GROUND_FROM = -1.2;
const GROUND_TO = 0.15;
/** How long it is remembered how somebody stood, ms. */
const GROUND_MS = 8_000;
/** The ground somebody rose from: the lowest foot of the last moments on it, ms. */
const LEFT_GROUND_MS = 1_500;
/** A fence is a good deal higher than most people: a person's height where nobody has been seen on the ground yet. */
const USUAL_STATURE = 0.8;
/** Beside the fence's ends, in heights. */
const BESIDE = 0.3;
/** Least box, in heights: less is a head and shoulders behind a wall. */
const WHOLE = 0.5;
/** Least rise of the hips in heights, where they can be seen: a foot hidden by a bush is no rise. */
const HIPS_RISE = 0.08;
/** The hips from the head, part of the box, where they cannot be seen. */
const HIPS = 0.52;

interface Ground {
  readonly at: MonoMs;
  readonly foot: Point;
  readonly hips: number | null;
  readonly height: number;
  /** Of the foot above the base, in fence heights. */
  readonly elevation: number;
}

/** One sighting, measured. Lengths are in heights of the person standing, times in ms. */
export interface Sample {
  readonly at: MonoMs;
  /** Foot above the base, in fence heights. */
  readonly elevation: number;
  /** Foot above the base, in heights of the person. */
  readonly rise: number;
  /** Foot above where it last stood on the ground; `null` without having stood there. */
  readonly ascent: number | null;
  /** How far to the side since then. */
  readonly aside: number;
  /** Hips above the top; negative below it. */
  readonly over: number;
  /** Lower edge of the box below the top. */
  readonly below: number;
  /** Height of the box. */
  readonly size: number;
  readonly hipsRose: boolean;
  readonly posture: Posture;
}

export interface Limits {
  /** Least elevation, in fence heights, and least rise, in heights: on the fence. */
  readonly elevation: number;
  readonly rise: number;
  readonly ascent: number;
  readonly aside: number;
}

export class Climber {
  #ground: Ground[] = [];
  #samples: Sample[] = [];
  #last: { readonly at: MonoMs; readonly box: Box } | null = null;

  /** Where they were seen last; `null` before the first `see`. */
  get last(): { readonly at: MonoMs; readonly box: Box } | null {
    return this.#last;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  get stoodOnGround(): boolean {
    return this.#ground.length > 0;
  }

  /** Median height on the ground, pixels; `null` when never seen there. */
  get stature(): number | null {
    return this.#ground.length === 0 ? null : median(this.#ground.map(({ height }) => height));
  }

  /**
   * Where they came from: in front of the fence, or from behind it, where the feet stand above its base.
   * `null`: never seen on the ground.
   */
  get origin(): 'near' | 'far' | null {
    if (this.#ground.length === 0) return null;
    return median(this.#ground.map(({ elevation }) => elevation)) < 0.04 ? 'near' : 'far';
  }

  /**
   * @param usual stature at this fence in fence heights, as others showed it; 0: not known
   * @returns `null` when they are not at the fence
   */
  see({ box, pose }: Seen, stretch: Stretch | null, at: MonoMs, usual: number): Sample | null {
    this.#last = { at, box };
    this.#ground = this.#ground.filter((one) => at - one.at <= GROUND_MS);
    if (stretch === null) return null;
    const height = this.stature ?? (usual > 0 ? usual : USUAL_STATURE) * stretch.height;
    const sample = this.#measure(box, postureOf(pose, heightOf(box)), stretch, height, at);
    const { elevation } = sample;
    if (elevation > GROUND_FROM && elevation < GROUND_TO) {
      const { hips } = sample.posture;
      this.#ground.push({ at, foot: footOf(box), hips, height: heightOf(box), elevation });
    }
    this.#samples = [...this.#samples.filter((one) => at - one.at <= GROUND_MS), sample].slice(-120);
    return sample;
  }

  #measure(box: Box, posture: Posture, stretch: Stretch, height: number, at: MonoMs): Sample {
    const foot = footOf(box);
    const last = this.#ground.at(-1);
    const from = this.#ground.filter((one) => last !== undefined && last.at - one.at <= LEFT_GROUND_MS);
    const lowest = from.reduce<Ground | undefined>(
      (low, one) => (low === undefined || one.foot.y > low.foot.y ? one : low),
      undefined,
    );
    const stood = from.flatMap(({ hips }) => hips ?? []);
    const hipsOfBox = box.y1 + HIPS * heightOf(box);
    return {
      at,
      elevation: (stretch.base - foot.y) / stretch.height,
      rise: (stretch.base - foot.y) / height,
      ascent: lowest === undefined ? null : (lowest.foot.y - foot.y) / height,
      aside: last === undefined ? 0 : Math.abs(foot.x - last.foot.x) / height,
      over: (stretch.top - (posture.hips ?? hipsOfBox)) / height,
      below: (foot.y - stretch.top) / height,
      size: heightOf(box) / height,
      hipsRose: posture.hips === null || stood.length === 0 || median(stood) - posture.hips >= HIPS_RISE * height,
      posture,
    };
  }
}

/** How far beside a fence's ends a person still is at it, pixels. */
export const besideOf = (box: Box): number => BESIDE * heightOf(box);

/** On the fence, a whole body. */
export const elevated = ({ elevation, rise, size }: Sample, limits: Limits): boolean =>
  (elevation >= limits.elevation || rise >= limits.rise) && size >= WHOLE;

/** Went up from the ground, and not walked there. */
export const ascended = ({ ascent, aside, hipsRose }: Sample, limits: Limits): boolean =>
  ascent !== null && ascent >= limits.ascent && aside <= limits.aside && hipsRose;
