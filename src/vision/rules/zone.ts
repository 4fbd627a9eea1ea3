import type { MonoMs } from '../../kernel/clock.ts';
import type { Point } from '../picture.ts';
import { footOf } from '../tracking/track.ts';
import { insidePolygon } from './geometry.ts';
import type { Finding, Rule, Seen } from './rule.ts';

export interface ZoneSettings {
  readonly id: string;
  /** Pixels. */
  readonly points: readonly Point[];
  /** Raised when somebody stays this long, ms; `null`: when somebody comes in. */
  readonly loiter: number | null;
}

/** In the zone: the foot in so many of the last sightings. */
const INSIDE = 3;
const OF = 5;
/** Out of the zone: not seen inside for so long, ms. Who steps out for less goes on staying. */
const LEFT_MS = 3_000;

interface Stay {
  /** Whether the foot was inside, newest last. */
  recent: boolean[];
  /** Since when they have been staying. */
  since: MonoMs | null;
  lastInside: MonoMs;
  told: boolean;
}

/** Tells when somebody comes into an area, or stays in it for long; once for each stay. */
export class ZoneRule implements Rule {
  readonly #settings: ZoneSettings;
  readonly #stays = new Map<number, Stay>();

  constructor(settings: ZoneSettings) {
    this.#settings = settings;
  }

  look(seen: readonly Seen[], at: MonoMs, armed: boolean): Finding[] {
    return seen.flatMap((one) => this.#follow(one, at, armed));
  }

  forget(track: number): void {
    this.#stays.delete(track);
  }

  #follow({ track, box, score }: Seen, at: MonoMs, armed: boolean): Finding[] {
    const { id, points, loiter } = this.#settings;
    const inside = insidePolygon(points, footOf(box));
    const stay = this.#stays.get(track) ?? { recent: [], since: null, lastInside: at, told: false };
    this.#stays.set(track, stay);
    stay.recent = [...stay.recent, inside].slice(-OF);
    if (stay.since !== null && at - stay.lastInside > LEFT_MS) {
      stay.since = null;
      stay.told = false;
      stay.recent = [inside];
    }
    if (inside) {
      stay.lastInside = at;
      stay.since ??= at;
    }
    if (stay.since === null || stay.recent.filter(Boolean).length < INSIDE) return [];
    if (stay.told || !armed || (loiter !== null && at - stay.since < loiter)) return [];
    stay.told = true;
    return [{ type: loiter === null ? 'area' : 'loiter', track, score, zone: id }];
  }
}
