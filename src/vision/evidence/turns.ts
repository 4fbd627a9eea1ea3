/** Work that is done so much at a time; what comes next waits its turn, and what would wait behind too many is left. */
export class Turns {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** @returns what `work` gives; `null`: too many wait already. @throws what `work` throws */
  async take<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#busy >= this.#most) {
      if (this.#waiting.length >= this.#mostWaiting) return null;
      // Whoever is done hands over its place: nobody who comes meanwhile gets in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#busy += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy -= 1;
      else next();
    }
  }
}
