import type { Clock } from './clock.ts';

/** Names remembered at most; the one that took longest ago is forgotten, which only ever gives it more. */
const NAMES = 10_000;

/** A token bucket for each name: `burst` at once, then `perSecond`. */
export class Allowance {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #left = new Map<string, { tokens: number; at: number }>();

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /** Takes one; `false` when there is none left. */
  take(name: string): boolean {
    const now = this.#clock.mono();
    const bucket = this.#left.get(name) ?? { tokens: this.#burst, at: now };
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.at) / 1_000) * this.#perSecond);
    bucket.at = now;
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    this.#left.delete(name);
    this.#left.set(name, bucket);
    if (this.#left.size > NAMES) {
      for (const oldest of this.#left.keys()) {
        this.#left.delete(oldest);
        break;
      }
    }
    return allowed;
  }
}
