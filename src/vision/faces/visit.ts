import type { MonoMs } from '../../kernel/clock.ts';
import { type Box, heightOf, overlap, widthOf } from '../picture.ts';
import type { Match } from './roster.ts';

/** What one look at a face said. */
export interface Look {
  /** `null`: nobody is enrolled. */
  readonly match: Match | null;
  /** `null`: liveness is not asked for. */
  readonly live: number | null;
}

export interface Rule {
  readonly threshold: number;
  readonly margin: number;
  readonly liveness?: number | undefined;
}

export type Outcome =
  | {
      readonly result: 'known' | 'blocked';
      readonly person: string;
      readonly similarity: number;
      readonly margin: number;
      readonly live: number | null;
    }
  | { readonly result: 'stranger'; readonly similarity: number; readonly margin: number; readonly live: number | null };

/** Looks that decide, and how many of them must agree. */
const OF = 3;
const AGREE = 2;
/** Looks before somebody is called a stranger: a resident who turns his head is none. */
const STRANGER = 5;
/** And not when any of them came this near to the threshold. */
const DOUBT = 0.05;

/** Whether one look alone is the person it is most like. */
export function accepts(look: Look, { threshold, margin, liveness }: Rule): look is Look & { readonly match: Match } {
  const { match, live } = look;
  return (
    match !== null &&
    match.similarity >= threshold &&
    match.margin >= margin &&
    (liveness === undefined || (live !== null && live >= liveness))
  );
}

/** One face from when it comes until it has gone. Decides at most once. */
export class Visit {
  readonly id: number;
  box: Box;
  seen: MonoMs;
  #looks: Look[] = [];
  #count = 0;
  #nearest = -1;
  #told: Outcome | null = null;

  constructor(id: number, box: Box, seen: MonoMs) {
    this.id = id;
    this.box = box;
    this.seen = seen;
  }

  /** Good looks so far. */
  get sightings(): number {
    return this.#count;
  }

  get decided(): Outcome | null {
    return this.#told;
  }

  /** How well a box of the next frame goes on with this one: 0 not at all, 1 the same place. */
  continues(box: Box): number {
    const iou = overlap(this.box, box);
    if (iou > 0) return iou;
    const [dx, dy] = [
      (box.x1 + box.x2 - this.box.x1 - this.box.x2) / 2,
      (box.y1 + box.y2 - this.box.y1 - this.box.y2) / 2,
    ];
    // At few frames a second a walking person's face moves by about its own width.
    const size = Math.max(widthOf(this.box), heightOf(this.box));
    const near = 1 - Math.hypot(dx, dy) / (1.5 * size);
    return near > 0 ? near * 0.1 : 0;
  }

  /** @returns what is now certain, once */
  look(look: Look, rule: Rule): Outcome | null {
    if (this.#told !== null && this.#told.result !== 'stranger') return null;
    this.#looks = [...this.#looks, look].slice(-OF);
    this.#count += 1;
    this.#nearest = Math.max(this.#nearest, look.match?.similarity ?? -1);
    return this.#known(rule) ?? this.#stranger(rule, look);
  }

  #known(rule: Rule): Outcome | null {
    const accepted = this.#looks.flatMap((look) => (accepts(look, rule) ? [look] : []));
    for (const { match } of accepted) {
      const same = accepted.filter((other) => other.match.person === match.person);
      if (same.length < AGREE) continue;
      const mean = (of: (look: Look & { match: Match }) => number): number =>
        same.reduce((sum, look) => sum + of(look), 0) / same.length;
      this.#told = {
        result: match.blocked ? 'blocked' : 'known',
        person: match.person,
        similarity: mean((look) => look.match.similarity),
        margin: mean((look) => look.match.margin),
        live: same.some(({ live }) => live === null) ? null : mean((look) => look.live as number),
      };
      return this.#told;
    }
    return null;
  }

  #stranger({ threshold }: Rule, { match, live }: Look): Outcome | null {
    if (this.#told !== null || this.#count < STRANGER || this.#nearest >= threshold - DOUBT) return null;
    this.#told = { result: 'stranger', similarity: match?.similarity ?? 0, margin: match?.margin ?? 0, live };
    return this.#told;
  }
}
