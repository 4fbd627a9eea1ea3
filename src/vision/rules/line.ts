import type { MonoMs } from '../../kernel/clock.ts';
import type { Point } from '../picture.ts';
import { footOf } from '../tracking/track.ts';
import { crossings, distanceTo } from './geometry.ts';
import type { Finding, Rule, Seen } from './rule.ts';

export interface LineSettings {
  readonly id: string;
  /** Pixels. */
  readonly points: readonly Point[];
  readonly direction: 'both' | 'in' | 'out';
}

/** Beside the line, in heights of the person: nearer than this nobody has a side. */
const CLEAR = 0.06;
/** The new side must hold for so many sightings. */
const HELD = 2;

interface Passage {
  /** Where the person last stood clearly on a side. */
  anchor: Point;
  /** Where they stood when they were first seen across, and how often since. */
  across: number;
}

/** Tells when somebody's foot crosses a line; once for each crossing, however long they stand on it. */
export class LineRule implements Rule {
  readonly #settings: LineSettings;
  readonly #passages = new Map<number, Passage>();

  constructor(settings: LineSettings) {
    this.#settings = settings;
  }

  look(seen: readonly Seen[], _at: MonoMs, armed: boolean): Finding[] {
    return seen.flatMap((one) => this.#follow(one, armed));
  }

  forget(track: number): void {
    this.#passages.delete(track);
  }

  #follow({ track, box, score }: Seen, armed: boolean): Finding[] {
    const { id, points, direction: wanted } = this.#settings;
    const foot = footOf(box);
    const passage = this.#passages.get(track);
    const clear = distanceTo(points, foot) >= CLEAR * (box.y2 - box.y1);
    if (passage === undefined) {
      if (clear) this.#passages.set(track, { anchor: foot, across: 0 });
      return [];
    }
    if (!clear) return [];
    const net = crossings(points, passage.anchor, foot);
    if (net === 0) {
      passage.anchor = foot;
      passage.across = 0;
      return [];
    }
    if (++passage.across < HELD) return [];
    this.#passages.set(track, { anchor: foot, across: 0 });
    const direction = net > 0 ? 'in' : 'out';
    if (!armed || (wanted !== 'both' && wanted !== direction)) return [];
    return [{ type: 'line', track, score, zone: id, direction }];
  }
}
