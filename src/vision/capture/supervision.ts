import { Backoff } from '../../kernel/backoff.ts';
import type { Cancel, Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import { redact } from './address.ts';
import { WRONG_PASSWORD } from './reason.ts';

/** All in ms. */
export interface Limits {
  /** Without a picture for so long the program is ended and started again. */
  readonly age: number;
  /** Waits between tries, see kernel/backoff.ts. */
  readonly wait: { readonly min: number; readonly max: number };
  /** The same after a wrong password: cameras lock the account, or the whole box, that tries too often. */
  readonly refused: { readonly min: number; readonly max: number };
  /** A stream that has lived so long is stable: the next failure is tried again soon. */
  readonly stable: number;
}

export const LIMITS: Limits = {
  age: 15_000,
  wait: { min: 1_000, max: 60_000 },
  refused: { min: 60_000, max: 900_000 },
  stable: 60_000,
};

/** One try. */
export interface Attempt {
  /** Why it ended. Always resolves, at the latest after `end`. */
  readonly over: Promise<string>;
  end(): void;
}

export interface SupervisionOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly limits?: Partial<Limits> | undefined;
  /** @param alive to be called whenever something has arrived */
  begin(alive: () => void): Attempt;
  /** After each try, with the reason. */
  down(reason: string): void;
}

/** Keeps something going that may end or hang at any time. Waits between tries always; time is monotonic. */
export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #limits: Limits;
  readonly #backoff: Backoff;
  readonly #refused: Backoff;
  #stopped = false;
  #attempt: Attempt | null = null;
  #wake: (() => void) | null = null;
  readonly #done: Promise<void>;
  /** Tries so far. */
  attempts = 0;

  constructor(options: SupervisionOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#backoff = new Backoff({ ...this.#limits.wait, random: options.random });
    this.#refused = new Backoff({ ...this.#limits.refused, random: options.random });
    this.#done = this.#run();
  }

  /** Resolves when the last try is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    this.#attempt?.end();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const reason = await this.#once();
      if (this.#stopped) return;
      this.#options.down(reason);
      await this.#sleep((reason === WRONG_PASSWORD ? this.#refused : this.#backoff).next());
    }
  }

  async #once(): Promise<string> {
    const { clock } = this.#options;
    const { age, stable } = this.#limits;
    let last = clock.mono();
    let first: number | null = null;
    let silent = false;
    this.attempts += 1;
    const attempt = this.#options.begin(() => {
      last = clock.mono();
      first ??= last;
      if (last - first >= stable) {
        this.#backoff.reset();
        this.#refused.reset();
      }
    });
    this.#attempt = attempt;
    const watch = clock.every(Math.max(1, age / 10), () => {
      if (silent || clock.mono() - last < age) return;
      silent = true;
      attempt.end();
    });
    try {
      const reason = await attempt.over;
      return silent ? `no picture for ${Math.round(age / 1_000)} s` : reason;
    } catch (thrown) {
      return redact(messageOf(thrown));
    } finally {
      watch.cancel();
      this.#attempt = null;
    }
  }

  async #sleep(ms: number): Promise<void> {
    let timer: Cancel | null = null;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = this.#options.clock.after(ms, resolve);
    });
    this.#wake = null;
    (timer as Cancel | null)?.cancel();
  }
}
