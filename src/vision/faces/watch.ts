import type { CameraConfig } from '../../config/schema.ts';
import type { MonoMs } from '../../kernel/clock.ts';
import type { FaceEvent } from '../event.ts';
import { type Box, type Detection, heightOf, overlap, type Picture, widthOf } from '../picture.ts';
import { COMPARE, failures } from './quality.ts';
import type { FaceReader } from './reader.ts';
import type { Roster } from './roster.ts';
import { type Outcome, Visit } from './visit.ts';

export type FaceSettings = Exclude<CameraConfig['faces'], false>;

export interface FaceWatchOptions {
  /** Its id. */
  readonly camera: string;
  readonly settings: FaceSettings;
  readonly reader: FaceReader;
  /** Asked for each look: people are enrolled and forgotten meanwhile. */
  readonly roster: () => Roster;
  readonly tell: (event: FaceEvent) => void;
}

/** Somebody the camera follows, if it follows people. */
export interface Person {
  /** Number of the track. */
  readonly id: number;
  readonly box: Box;
}

/** A visit ends when the face has not been seen for this long, ms. */
const GONE_MS = 3_000;
/** The same person at the same camera within this is the same visit, though lost from sight meanwhile, ms. */
const AGAIN_MS = 20_000;
/** Faces looked at further in one frame, and people whose head is looked for by itself. */
const FACES = 8;
const HEADS = 3;
/** Head and shoulders, as part of a person's height. */
const HEAD = 0.35;

/**
 * Recognises people at one camera: a face is followed while it is in sight, looked at until two of three good looks agree,
 * and told once. Nothing of a picture is kept, neither of people who are known nor of others.
 */
export class FaceWatch {
  readonly #options: FaceWatchOptions;
  readonly #visits: Visit[] = [];
  readonly #tracks = new Map<Visit, number>();
  readonly #told = new Map<string, MonoMs>();
  #next = 1;
  #busy = false;

  constructor(options: FaceWatchOptions) {
    this.#options = options;
  }

  /** It is at work on a frame, and passes over others. */
  get busy(): boolean {
    return this.#busy;
  }

  /** A face is in sight, or was a moment ago. */
  get somebody(): boolean {
    return this.#visits.length > 0;
  }

  /**
   * Looks at one frame. While it is at work further frames are passed over: the next one is as good.
   * @param scale of the stream to the picture, when the picture was made smaller: `minHeight` is in pixels of the stream
   * @param people who is followed in this frame; gives events their track number and small faces a closer look
   */
  async see(picture: Picture, at: MonoMs, people: readonly Person[] = [], scale = 1): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await this.#see(picture, at, people, scale);
    } finally {
      this.#busy = false;
    }
  }

  async #see(picture: Picture, at: MonoMs, people: readonly Person[], scale: number): Promise<void> {
    this.#forgetGone(at);
    const { settings, camera } = this.#options;
    const found = await this.#find(picture, people);
    const least = settings.minHeight / scale;
    const free = new Set(this.#visits);
    for (const face of found.filter((one) => heightOf(one) >= least).slice(0, FACES)) {
      const visit = this.#visitOf(face, at, free);
      const person = people.find(({ box }) => holds(box, face));
      if (person !== undefined) this.#tracks.set(visit, person.id);
      const known = visit.decided !== null && visit.decided.result !== 'stranger';
      if (!known) await this.#look(picture, face, visit, at, `${camera}:faces`);
    }
  }

  async #find(picture: Picture, people: readonly Person[]): Promise<Detection[]> {
    const { reader, camera } = this.#options;
    const source = `${camera}:faces`;
    const found = [...((await reader.finder.find(picture, source, false)) ?? [])];
    const faceless = people.filter(({ box }) => !found.some((face) => holds(box, face))).slice(0, HEADS);
    for (const { box } of faceless) {
      const height = heightOf(box) * HEAD;
      const middle = (box.x1 + box.x2) / 2;
      const head = { x1: middle - height, y1: box.y1 - height * 0.3, x2: middle + height, y2: box.y1 + height };
      for (const face of (await reader.finder.look(picture, head, source)) ?? []) {
        if (found.every((other) => overlap(other, face) < 0.4)) found.push(face);
      }
    }
    return found;
  }

  async #look(picture: Picture, face: Detection, visit: Visit, at: MonoMs, source: string): Promise<void> {
    const { reader, settings, roster } = this.#options;
    const seen = await reader.face(picture, face, source);
    // How small is too small was settled by `minHeight`.
    if (seen === null || failures(seen.quality, { ...COMPARE, height: 0 }).length > 0) return;
    const full = await reader.complete(picture, seen, source, settings.liveness !== undefined);
    if (full === null) return;
    const outcome = visit.look({ match: roster().match(full.embedding), live: full.live }, settings);
    if (outcome !== null) this.#decide(outcome, visit, at);
  }

  #decide(outcome: Outcome, visit: Visit, at: MonoMs): void {
    const { camera, settings, tell } = this.#options;
    if (outcome.result === 'stranger') {
      if (!settings.strangers) return;
    } else {
      const before = this.#told.get(outcome.person);
      this.#told.set(outcome.person, at);
      if (before !== undefined && at - before < AGAIN_MS) return;
    }
    tell({
      type: 'face',
      camera,
      result: outcome.result,
      ...(outcome.result === 'stranger' ? {} : { person: outcome.person }),
      similarity: rounded(outcome.similarity),
      margin: rounded(outcome.margin),
      sightings: visit.sightings,
      ...(outcome.live === null ? {} : { live: rounded(outcome.live) }),
      track: this.#tracks.get(visit) ?? visit.id,
    });
  }

  #visitOf(face: Detection, at: MonoMs, free: Set<Visit>): Visit {
    const { score: _, ...box } = face;
    let best: Visit | null = null;
    let most = 0;
    for (const visit of free) {
      const how = visit.continues(box);
      if (how > most) [best, most] = [visit, how];
    }
    if (best === null) {
      best = new Visit(this.#next, box, at);
      this.#next += 1;
      this.#visits.push(best);
    }
    free.delete(best);
    best.box = box;
    best.seen = at;
    // Still in sight: the visit goes on, however long.
    const told = best.decided;
    if (told !== null && told.result !== 'stranger') this.#told.set(told.person, at);
    return best;
  }

  #forgetGone(at: MonoMs): void {
    for (let i = this.#visits.length - 1; i >= 0; i -= 1) {
      const visit = this.#visits[i] as Visit;
      if (at - visit.seen <= GONE_MS) continue;
      this.#visits.splice(i, 1);
      this.#tracks.delete(visit);
    }
    for (const [person, when] of this.#told) if (at - when > AGAIN_MS) this.#told.delete(person);
  }
}

/** Whether a face is in the upper part of a person. */
function holds(person: Box, face: Box): boolean {
  const x = (face.x1 + face.x2) / 2;
  const y = (face.y1 + face.y2) / 2;
  const slack = widthOf(face);
  return (
    x > person.x1 - slack && x < person.x2 + slack && y > person.y1 - slack && y < person.y1 + heightOf(person) / 2
  );
}

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;
