export interface BackoffOptions {
  /** ms */
  readonly min: number;
  /** ms */
  readonly max: number;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
}

/**
 * Waits between attempts, with decorrelated jitter (M. Brooker, "Exponential Backoff and Jitter", AWS 2015): each is
 * drawn between the shortest and three times the one before, so that the boxes of a city whose centre comes back do not
 * all knock at once.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #last: number;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#last = options.min;
  }

  /** ms to wait before the next attempt */
  next(): number {
    const { min, max, random } = this.#options;
    this.#last = Math.min(max, min + random() * Math.max(0, this.#last * 3 - min));
    return this.#last;
  }

  /** To be called when a connection has shown itself to be stable, not when it was merely made. */
  reset(): void {
    this.#last = this.#options.min;
  }
}
