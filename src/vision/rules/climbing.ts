import type { MonoMs } from '../../kernel/clock.ts';
import { type Box, heightOf } from '../picture.ts';
import { median } from '../tracking/track.ts';
import { besideOf, Climber } from './climber.ts';
import { type Evidence, evidenceOf, type Sensitivity } from './evidence.ts';
import { Fence, type FenceShape } from './fence.ts';
import type { Finding, Rule, Seen } from './rule.ts';

/** Back on the ground for this long, somebody may climb again and be told again, ms. */
const REARM_MS = 3_000;
/** A climber lost from sight and found again close by within this is the same one, ms: bodies on fences are lost often. */
const FOUND_AGAIN_MS = 4_000;
/** How close, in heights. */
const FOUND_AGAIN_NEAR = 0.8;
/** How many people are remembered for the usual stature at this fence. */
const STATURES = 40;

type Stage = 'none' | 'warned' | 'alarmed';

interface Person {
  readonly climber: Climber;
  stage: Stage;
  groundSince: MonoMs | null;
}

/**
 * Somebody climbs a fence: `climb` (warn) when they have left the ground, then `cross` (alarm) when their hips are at its
 * top. Each once for a climb; an alarm is always preceded by its warning, if need be in the same frame.
 */
export class ClimbingRule implements Rule {
  readonly #fence: Fence;
  readonly #sensitivity: Sensitivity;
  readonly #people = new Map<number, Person>();
  /** Heights of people on the ground, in fence heights. */
  #statures: number[] = [];

  constructor(shape: FenceShape, sensitivity: Sensitivity) {
    this.#fence = new Fence(shape);
    this.#sensitivity = sensitivity;
  }

  /** Whether somebody is so near that their pose should be looked at. */
  near(box: Box): boolean {
    const stretch = this.#fence.at((box.x1 + box.x2) / 2, besideOf(box));
    if (stretch === null) return false;
    const elevation = (stretch.base - box.y2) / stretch.height;
    const reach = heightOf(box) / stretch.height;
    return elevation > -0.5 * reach && box.y2 > stretch.top - 0.5 * stretch.height && box.y1 < stretch.base;
  }

  look(seen: readonly Seen[], at: MonoMs, armed: boolean): Finding[] {
    const here = new Set(seen.map(({ track }) => track));
    const findings = seen.flatMap((one) => this.#follow(one, at, armed, here));
    for (const [track, { climber }] of this.#people) {
      if (at - (climber.last?.at ?? at) > FOUND_AGAIN_MS) this.#people.delete(track);
    }
    return findings;
  }

  /** Who is lost on the fence may be found again under another number: forgetting waits. */
  forget(_track: number): void {
    // `look` forgets by time.
  }

  #follow(one: Seen, at: MonoMs, armed: boolean, here: ReadonlySet<number>): Finding[] {
    const person = this.#people.get(one.track) ?? this.#foundAgain(one, at, here);
    this.#people.set(one.track, person);
    const { climber } = person;
    const x = (one.box.x1 + one.box.x2) / 2;
    const stretch = this.#fence.at(x, besideOf(one.box));
    const sample = climber.see(one, stretch, at, this.#usual());
    if (sample === null || stretch === null) return [];
    const evidence = evidenceOf(climber, this.#sensitivity);
    if (evidence.onGround) {
      person.groundSince ??= at;
      if (at - person.groundSince >= REARM_MS) person.stage = 'none';
      this.#statures = [...this.#statures, heightOf(one.box) / stretch.height].slice(-STATURES);
    } else person.groundSince = null;
    return armed ? this.#tell(one, person, evidence) : [];
  }

  #tell({ track, score }: Seen, person: Person, evidence: Evidence): Finding[] {
    const { posture, rule } = evidence;
    const alarm = evidence.crossing(person.stage !== 'none');
    if (person.stage === 'alarmed' || !(alarm || (evidence.climbing && person.stage === 'none'))) return [];
    const direction = this.#direction(person.climber.origin);
    const { direction: wanted, inside, id: zone } = this.#fence;
    // Where they came from is not always known; then it is told rather than not.
    if (wanted !== 'both' && inside !== null && direction !== undefined && direction !== wanted) return [];
    const about = { track, score, zone, posture, rule };
    const findings: Finding[] = person.stage === 'none' ? [{ type: 'climb', stage: 'warn', ...about }] : [];
    if (alarm)
      findings.push({ type: 'cross', stage: 'alarm', ...about, ...(direction === undefined ? {} : { direction }) });
    person.stage = alarm ? 'alarmed' : 'warned';
    return findings;
  }

  #usual(): number {
    return this.#statures.length === 0 ? 0 : median(this.#statures);
  }

  #direction(origin: 'near' | 'far' | null): 'in' | 'out' | undefined {
    const { inside } = this.#fence;
    if (inside === null || origin === null) return undefined;
    return origin === inside ? 'out' : 'in';
  }

  #foundAgain({ box }: Seen, at: MonoMs, here: ReadonlySet<number>): Person {
    let nearest: { track: number; person: Person; away: number } | undefined;
    for (const [track, person] of this.#people) {
      const { last } = person.climber;
      if (last === null || at - last.at > FOUND_AGAIN_MS) continue;
      const away = distance(box, last.box) / Math.max(heightOf(box), heightOf(last.box));
      if (away < (nearest?.away ?? FOUND_AGAIN_NEAR)) nearest = { track, person, away };
    }
    const fresh: Person = { climber: new Climber(), stage: 'none', groundSince: null };
    if (nearest === undefined) return fresh;
    // Two boxes on one body: what was said of the one is said of the other.
    if (here.has(nearest.track)) return { ...fresh, stage: nearest.person.stage };
    this.#people.delete(nearest.track);
    return nearest.person;
  }
}

function distance(a: Box, b: Box): number {
  return Math.hypot((a.x1 + a.x2 - b.x1 - b.x2) / 2, (a.y1 + a.y2 - b.y1 - b.y2) / 2);
}
