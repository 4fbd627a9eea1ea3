import type { PictureTrouble } from '../event.ts';
import type { Grey } from '../picture.ts';
import { type Dwell, Lasting } from './lasting.ts';
import { correlation, type Measures, measure } from './measures.ts';

/** What this finds by itself; `degraded` is for whoever decodes. */
export type Trouble = Exclude<PictureTrouble, 'degraded'>;

export interface HealthChange {
  readonly condition: Trouble;
  readonly active: boolean;
  /** 0–1, how much of it there is. */
  readonly score: number;
}

/** Between two looks, ms: tampering is slow beside motion. */
const EVERY = 1_000;
/** How much of a frame goes into the smoothed picture that is measured: noise and passers-by go, the scene stays. */
const SMOOTHING = 0.3;
/** Share of a look that goes into what the camera is used to see; with a look a second half of it is 6 minutes old. */
const LEARNING = 0.002;
/** Looks until what is learned counts. */
const ENOUGH = 20;
/** A new view that stays for so long is the view from now on, ms. */
const ACCEPTED = 3_600_000;
/** Looked for in every direction when the picture does not fit any more, pixels of the grey plane. */
const REACH = 21;
const STEP = 3;

const DWELL: Readonly<Record<Trouble, Dwell>> = {
  // A still scene, well compressed, may repeat itself bit by bit from one key frame to the next.
  frozen: { on: 60_000, off: 2_000 },
  dark: { on: 15_000, off: 15_000 },
  bright: { on: 15_000, off: 15_000 },
  covered: { on: 8_000, off: 10_000 },
  blurred: { on: 20_000, off: 20_000 },
  moved: { on: 10_000, off: 10_000 },
};

/** What the camera is used to see. */
interface Usual {
  looks: number;
  sharpness: number;
  contrast: number;
  edges: Float32Array;
}

/**
 * Whether a camera's picture is of use: conditions with separate limits for coming and going, each told only when it lasts.
 * Only the plainest is judged: of a dark picture nobody can say whether it is blurred, and what was said of it before stands.
 */
export class PictureHealth {
  readonly #lasting = Object.fromEntries(
    Object.entries(DWELL).map(([condition, dwell]) => [condition, new Lasting(dwell)]),
  ) as Record<Trouble, Lasting>;
  #last: Uint8Array = new Uint8Array(0);
  #smoothed = new Float32Array(0);
  #lookedAt = Number.NEGATIVE_INFINITY;
  #usual: Usual | null = null;
  #movedAt: number | null = null;

  /** What is told at present. */
  get active(): Trouble[] {
    return (Object.keys(this.#lasting) as Trouble[]).filter((condition) => this.#lasting[condition].active);
  }

  /**
   * @param at ms, of any clock that does not step back
   * @returns what has begun or is over since the last frame
   */
  look(grey: Grey, at: number): HealthChange[] {
    if (at - this.#lookedAt < EVERY) return [];
    this.#lookedAt = at;
    if (this.#smoothed.length !== grey.data.length) this.#begin(grey);
    const same = Buffer.compare(this.#last, grey.data) === 0;
    this.#last.set(grey.data);
    this.#smooth(grey.data);
    const seen = measure({ ...grey, data: this.#smoothed });
    const changes: HealthChange[] = [];
    const tell = (condition: Trouble, holds: boolean | null, score: number) => {
      if (!this.#lasting[condition].look(holds, at)) return;
      changes.push({ condition, active: this.#lasting[condition].active, score: Math.min(1, Math.max(0, score)) });
    };
    tell('frozen', same, same ? 1 : 0);
    const darkness = between(seen.brightest, 40, 60);
    tell('dark', darkness, 1 - seen.brightest / 255);
    const brightness = between(-seen.darkest, -200, -170);
    tell('bright', brightness, seen.darkest / 255);
    const plain = darkness === false && brightness === false;
    const usual = this.#usual;
    const known = usual !== null && usual.looks >= ENOUGH;
    const covered = plain ? this.#covered(seen, known ? usual : null) : null;
    tell('covered', covered, 1 - seen.contrast / 40);
    const judged = plain && covered === false && known;
    const fit = judged ? correlation(usual.edges, seen.edges, grey) : 1;
    const sharp = judged ? seen.sharpness / usual.sharpness : 1;
    // Without anything to compare with, what was told of the view before is taken back.
    const otherwise = plain && usual === null ? false : null;
    const blurred = judged ? between(sharp, 0.5, 0.7) : otherwise;
    tell('blurred', blurred, 1 - sharp);
    const moved = judged && blurred === false ? this.#moved(grey, usual, seen, fit) : otherwise;
    tell('moved', moved, 1 - fit);
    this.#accept(at);
    if (plain && covered === false && blurred !== true && moved !== true && this.active.length === 0) this.#learn(seen);
    return changes;
  }

  /** Nothing to be seen in it: a hand, paint, a bag. The usual picture had something in it. */
  #covered({ contrast }: Measures, usual: Usual | null): boolean | null {
    if (usual === null) return between(contrast, 5, 9);
    return between(contrast, Math.min(12, 0.3 * usual.contrast), Math.min(18, 0.45 * usual.contrast));
  }

  /** The edges are elsewhere; not merely fewer, as when lamps go on or it snows. */
  #moved(grey: Grey, usual: Usual, seen: Measures, fit: number): boolean | null {
    if (fit > 0.6) return false;
    if (strength(usual.edges) < 2) return null;
    if (fit < 0.3) return true;
    let best = fit;
    for (let dy = -REACH; dy <= REACH; dy += STEP) {
      for (let dx = -REACH; dx <= REACH; dx += STEP) {
        if (Math.max(Math.abs(dx), Math.abs(dy)) < 3) continue;
        best = Math.max(best, correlation(usual.edges, seen.edges, grey, dx, dy));
      }
    }
    return best > Math.max(0.5, fit + 0.15) ? true : null;
  }

  /** A camera that was turned on purpose is not in trouble for ever. */
  #accept(at: number): void {
    const changed = this.#lasting.moved.active || this.#lasting.blurred.active;
    this.#movedAt = changed ? (this.#movedAt ?? at) : null;
    if (this.#movedAt === null || at - this.#movedAt < ACCEPTED) return;
    this.#movedAt = null;
    this.#usual = null;
  }

  #learn(seen: Measures): void {
    if (this.#usual === null) {
      const { sharpness, contrast, edges } = seen;
      this.#usual = { looks: 1, sharpness, contrast, edges: Float32Array.from(edges) };
      return;
    }
    const usual = this.#usual;
    usual.looks += 1;
    const part = Math.max(LEARNING, 1 / usual.looks);
    usual.sharpness += part * (seen.sharpness - usual.sharpness);
    usual.contrast += part * (seen.contrast - usual.contrast);
    for (let n = 0; n < usual.edges.length; n += 1) {
      const was = usual.edges[n] as number;
      usual.edges[n] = was + part * ((seen.edges[n] as number) - was);
    }
  }

  #begin({ data }: Grey): void {
    this.#smoothed = Float32Array.from(data);
    this.#last = new Uint8Array(data.length);
    this.#usual = null;
  }

  #smooth(data: Uint8Array): void {
    const smoothed = this.#smoothed;
    for (let n = 0; n < data.length; n += 1) {
      const was = smoothed[n] as number;
      smoothed[n] = was + SMOOTHING * ((data[n] as number) - was);
    }
  }
}

/** `true` at or below `on`, `false` at or above `off`, else neither. */
const between = (value: number, on: number, off: number): boolean | null =>
  value <= on ? true : value >= off ? false : null;

function strength(edges: Float32Array): number {
  let sum = 0;
  for (const edge of edges) sum += edge;
  return sum / edges.length;
}
