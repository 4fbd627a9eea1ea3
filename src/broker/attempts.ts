import type { Clock } from '../kernel/clock.ts';

const NAMES = 10_000;

/**
 * Wrong guesses per name (an address, a user): `limit` at once, then `limit` a minute. The name that was wrong longest
 * ago is forgotten first.
 */
export class Attempts {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #wrong = new Map<string, { count: number; at: number }>();

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  get size(): number {
    return this.#wrong.size;
  }

  exhausted(name: string): boolean {
    const entry = this.#wrong.get(name);
    return entry !== undefined && this.#left(entry) > this.#limit - 1;
  }

  wrong(name: string): void {
    const entry = this.#wrong.get(name);
    const count = (entry === undefined ? 0 : this.#left(entry)) + 1;
    this.#wrong.delete(name);
    this.#wrong.set(name, { count, at: this.#clock.mono() });
    if (this.#wrong.size > NAMES) {
      for (const oldest of this.#wrong.keys()) {
        this.#wrong.delete(oldest);
        break;
      }
    }
  }

  /** What is left of the guesses now that time has passed. */
  #left({ count, at }: { count: number; at: number }): number {
    return Math.max(0, count - ((this.#clock.mono() - at) / 60_000) * this.#limit);
  }
}
