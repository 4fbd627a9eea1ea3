import { ascended, type Climber, elevated, type Limits, type Sample } from './climber.ts';

export type Sensitivity = 'low' | 'normal' | 'high';

/** What is asked of the pose, by sensitivity; signs are those of posture.ts, 0–3. */
interface Gate {
  /** Least mean of the signs while on the fence. */
  readonly signs: number;
  /** The same for who was never seen on the ground. */
  readonly unexplained: number;
}

const GATES: Record<Sensitivity, Gate> = {
  low: { signs: 1, unexplained: 2.5 },
  normal: { signs: 0.75, unexplained: 1.5 },
  high: { signs: 0, unexplained: 0 },
};

const LIMITS: Limits = { elevation: 0.3, rise: 0.22, ascent: 0.25, aside: 1 };

/** N of M: of the last five sightings, or of the last half second where frames come faster. */
const LAST = 5;
const LAST_MS = 500;
const STALE_MS = 2_000;
/** Any sign must show in so many sightings of the ascent, and in this part of those that could be read. */
const SHOWN = 2;
const SHOWN_SHARE = 0.5;
/** Hips this much below the top are over it all the same: who sits astride has them there, in heights. */
const ASTRIDE = 0.04;
/** A leg on this side of the top, in heights below it. */
const LEG_BELOW = 0.12;
/** Who was first seen on the fence moved up or down by so much meanwhile, and not aside, in heights. */
const MOVED = 0.35;

export interface Evidence {
  readonly onGround: boolean;
  readonly climbing: boolean;
  /** @param warned whether it was already said that somebody climbs: then the pose is not asked for again */
  crossing(warned: boolean): boolean;
  /** Mean of the signs. */
  readonly posture: number;
  /** Which of the rules spoke. */
  readonly rule: 'ascent' | 'first-seen';
}

/** What the last sightings of somebody amount to. */
export function evidenceOf(climber: Climber, sensitivity: Sensitivity): Evidence {
  const { samples, stoodOnGround } = climber;
  const gate = GATES[sensitivity];
  const recent = lastOf(samples);
  const newest = recent.at(-1);
  const onFence = recent.filter((one) => elevated(one, LIMITS));
  const over = onFence.filter((one) => one.over >= -ASTRIDE);
  const risen = onFence.filter((one) => ascended(one, LIMITS));
  const overFromGround = over.filter((one) => risen.includes(one) || hasLeg(one));
  if (stoodOnGround) {
    const posture = meanSigns(risen);
    const asked = posture >= gate.signs && (sensitivity === 'high' || shows(risen));
    return {
      onGround: newest !== undefined && !onFence.includes(newest) && (newest.ascent ?? 0) < LIMITS.ascent,
      climbing: asked && holds(risen, recent, 3, 0.6),
      crossing: (warned) => (asked || warned) && holds(overFromGround, recent, 2, 0.4),
      posture,
      rule: 'ascent',
    };
  }
  // Never seen on the ground: behind a wire fence everybody stands above its base. A leg must be on this side, and the
  // pose must say more.
  const hanging = onFence.filter((one) => one.below >= LEG_BELOW && hasLeg(one));
  const posture = meanSigns(hanging);
  const asked = posture >= gate.unexplained && (sensitivity !== 'high' || moved(samples));
  return {
    onGround: false,
    climbing: asked && holds(hanging, recent, 3, 0.6),
    crossing: (warned) =>
      (asked || warned) &&
      holds(
        hanging.filter((one) => one.over >= -ASTRIDE),
        recent,
        2,
        0.4,
      ),
    posture,
    rule: 'first-seen',
  };
}

function lastOf(samples: readonly Sample[]): Sample[] {
  const newest = samples.at(-1);
  if (newest === undefined) return [];
  const fast = samples.filter(({ at }) => newest.at - at <= LAST_MS).length;
  return samples.slice(-Math.max(LAST, fast)).filter(({ at }) => newest.at - at <= STALE_MS);
}

const holds = (hits: readonly Sample[], of: readonly Sample[], least: number, share: number): boolean =>
  hits.length >= least && hits.length >= share * of.length;

function meanSigns(samples: readonly Sample[]): number {
  const read = samples.filter(({ posture }) => posture.readable > 0);
  return read.length === 0 ? 0 : read.reduce((sum, { posture }) => sum + posture.signs, 0) / read.length;
}

/** Arms alone are raised by people who wave, too; and one frame in which the joints of a walker are mistaken is not enough. */
function shows(samples: readonly Sample[]): boolean {
  const read = samples.filter(({ posture }) => posture.readable > 0);
  const signs = read.filter(({ posture }) => posture.signs > 0);
  const legs = signs.some(({ posture }) => posture.kneeUp || posture.feetApart);
  return legs && signs.length >= SHOWN && signs.length >= SHOWN_SHARE * read.length;
}

const hasLeg = ({ posture }: Sample): boolean => posture.leg !== null;

function moved(samples: readonly Sample[]): boolean {
  const rises = samples.map(({ rise }) => rise);
  return Math.max(...rises) - Math.min(...rises) >= MOVED;
}
