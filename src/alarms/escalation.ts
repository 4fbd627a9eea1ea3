import type { Cancel, Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Board } from './board.ts';

/** How late a missed deadline is noticed at most, ms. */
const LOOK_EVERY_MS = 1_000;

export interface EscalationParts {
  readonly board: Board;
  readonly clock: Clock;
  readonly log: Log;
}

/** Lets time work on the board. There is no timer per deadline: they are rows, and this looks which of them are due. */
export class Escalation {
  readonly #board: Board;
  readonly #clock: Clock;
  readonly #log: Log;
  #timer: Cancel | null = null;
  #looking: Promise<void> | null = null;
  #complained = false;

  constructor({ board, clock, log }: EscalationParts) {
    this.#board = board;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    this.#timer ??= this.#clock.every(LOOK_EVERY_MS, () => void this.look());
    void this.look();
  }

  /** Resolves when what was under way is on disk, or has failed. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#looking;
  }

  /** Never rejects: what cannot be stored now is still due in a second. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    try {
      await this.#board.elapse();
      this.#complained = false;
    } catch (thrown) {
      if (!this.#complained) this.#log.warn({ err: thrown }, 'deadlines could not be looked after');
      this.#complained = true;
    }
  }
}
