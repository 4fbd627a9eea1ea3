import type { MonoMs } from '../../kernel/clock.ts';
import { type Box, type Detection, heightOf, overlap, widthOf } from '../picture.ts';
import { assign } from './assignment.ts';
import { LiveTrack, type Track } from './track.ts';

export interface TrackerSettings {
  /** Least score that starts a track, 0–1. */
  readonly start: number;
  /** Least score that continues one, 0–1. */
  readonly continue: number;
  /** Shorter people start no track, pixels; who is already followed may crouch. */
  readonly minHeight: number;
}

export interface Update {
  /** Seen in this frame, by id. */
  readonly seen: readonly LiveTrack[];
  /** Given up in this frame: not seen for too long. */
  readonly gone: readonly Track[];
}

/** How long somebody may be hidden and still be the same person, ms. */
const OCCLUDED_MS = 2_000;
/** A track seen once must be seen again within this, ms: a bush that looked like a person once is forgotten. */
const TENTATIVE_MS = 700;
/** Furthest from where somebody was expected, in heights: at once, and per second unseen. */
const GATE = 0.5;
const GATE_PER_SECOND = 0.7;
const WIDEST_GATE = 1.4;
/** A box less than this part as tall as another one is not the same person. */
const SIMILAR = 0.4;
/** Least overlap with a doubtful box. */
const DOUBTFUL_OVERLAP = 0.2;
/** A box this much inside another person's box is a part of that person. */
const PART = 0.8;
const MOST_TRACKS = 64;

/**
 * Follows people from frame to frame: boxes in, the same number for the same person out. Two-tier association (ByteTrack:
 * Zhang et al. 2022): sure boxes are given away first, then the doubtful ones continue what is left over, which keeps people
 * who are half hidden or in a strange posture. Deterministic; time comes with the frame and may be irregular.
 */
export class Tracker {
  readonly #settings: () => TrackerSettings;
  readonly #tracks: LiveTrack[] = [];
  #next = 1;

  /** @param settings asked in each frame: thresholds differ by day and night */
  constructor(settings: () => TrackerSettings) {
    this.#settings = settings;
  }

  /** Everybody who is followed, also who is hidden just now. */
  get tracks(): readonly LiveTrack[] {
    return this.#tracks;
  }

  /** @param at not before the last call's */
  update(detections: readonly Detection[], at: MonoMs): Update {
    const { start, continue: least, minHeight } = this.#settings();
    const gone = this.#expire(at);
    const usable = detections.filter((one) => one.score >= Math.min(least, start) && finite(one));
    const sure = usable.filter(({ score }) => score >= start);
    const doubtful = usable.filter(({ score }) => score < start);
    const seen: LiveTrack[] = [];
    let unmatched = [...this.#tracks];
    const match = (boxes: readonly Detection[], doubt: boolean): Detection[] => {
      const pairs = assign(unmatched.map((track) => boxes.map((box) => affinity(track, box, at, doubt))));
      const left = new Set(boxes);
      unmatched = unmatched.filter((track, i) => {
        const box = boxes[pairs[i] ?? -1];
        if (box === undefined) return true;
        track.see(at, box);
        seen.push(track);
        left.delete(box);
        return false;
      });
      return [...left];
    };
    const unclaimed = match(sure, false);
    match(doubtful, true);
    for (const box of unclaimed) {
      if (heightOf(box) < minHeight || this.#tracks.length >= MOST_TRACKS) continue;
      if (seen.some((track) => track.last.at === at && inside(box, track.last.box) >= PART)) continue;
      const track = new LiveTrack(this.#next++, at, box);
      this.#tracks.push(track);
      seen.push(track);
    }
    return { seen: seen.sort((a, b) => a.id - b.id), gone };
  }

  /** A frame nobody looked at: time goes on. */
  skip(at: MonoMs): Update {
    return { seen: [], gone: this.#expire(at) };
  }

  #expire(at: MonoMs): LiveTrack[] {
    const gone = this.#tracks.filter(({ last, confirmed }) => at - last.at > (confirmed ? OCCLUDED_MS : TENTATIVE_MS));
    for (const track of gone) this.#tracks.splice(this.#tracks.indexOf(track), 1);
    return gone;
  }
}

/** What a box is worth as the next one of a track; 0: it is somebody else. */
function affinity(track: LiveTrack, box: Detection, at: MonoMs, doubt: boolean): number {
  const expected = track.predict(at);
  const [h1, h2] = [track.height, heightOf(box)];
  const similar = Math.min(h1, h2) / Math.max(h1, h2);
  if (!(similar >= SIMILAR)) return 0;
  // Who is hidden may have stopped: both the place expected and the last one count.
  const shared = Math.max(overlap(expected, box), 0.9 * overlap(track.last.box, box));
  if (doubt && shared < DOUBTFUL_OVERLAP) return 0;
  const unseen = (at - track.last.at) / 1_000;
  const gate = Math.min(WIDEST_GATE, GATE + GATE_PER_SECOND * unseen) * Math.max(h1, h2);
  const away = Math.min(distance(expected, box), distance(track.last.box, box) + 0.1 * gate);
  const near = 1 - away / gate;
  if (near <= 0 && shared < 0.1) return 0;
  // Of two equally good tracks the one seen last, and the one that has been there longer.
  const faith = (track.confirmed ? 0.1 : 0) - 0.1 * Math.min(2, unseen);
  return Math.max(0.01, shared + 0.5 * Math.max(0, near) + 0.2 * similar + faith);
}

function distance(a: Box, b: Box): number {
  return Math.hypot((a.x1 + a.x2 - b.x1 - b.x2) / 2, (a.y1 + a.y2 - b.y1 - b.y2) / 2);
}

/** Which part of `part` lies inside `whole`, 0–1. */
function inside(part: Box, whole: Box): number {
  const w = Math.min(part.x2, whole.x2) - Math.max(part.x1, whole.x1);
  const h = Math.min(part.y2, whole.y2) - Math.max(part.y1, whole.y1);
  return w <= 0 || h <= 0 ? 0 : (w * h) / (widthOf(part) * heightOf(part));
}

const finite = ({ x1, y1, x2, y2, score }: Detection): boolean =>
  Number.isFinite(x1 + y1 + x2 + y2 + score) && x2 > x1 && y2 > y1;
