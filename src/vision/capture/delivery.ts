import { messageOf } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';

/**
 * What is live is handed over one at a time: while the receiver is busy only the newest is kept, and each one that it never
 * saw is counted. What is done with, seen or not, is given back.
 */
export class Newest<T> {
  readonly #give: (item: T) => void | Promise<void>;
  readonly #giveBack: (item: T) => void;
  readonly #log: Log;
  #waiting: T | null = null;
  #busy = false;
  shed = 0;

  /** @param giveBack told of each item once: when the receiver is done with it, or will never see it */
  constructor(give: (item: T) => void | Promise<void>, giveBack: (item: T) => void, log: Log) {
    this.#give = give;
    this.#giveBack = giveBack;
    this.#log = log;
  }

  offer(item: T): void {
    if (!this.#busy) {
      this.#hand(item);
      return;
    }
    if (this.#waiting !== null) {
      this.shed += 1;
      this.#giveBack(this.#waiting);
    }
    this.#waiting = item;
  }

  #hand(item: T): void {
    let done: void | Promise<void> | null = null;
    try {
      done = this.#give(item);
    } catch (thrown) {
      this.#log.error({ err: thrown }, 'a frame could not be worked on');
    }
    if (!(done instanceof Promise)) {
      this.#giveBack(item);
      return;
    }
    this.#busy = true;
    done
      .catch((thrown: unknown) => this.#log.error({ err: messageOf(thrown) }, 'a frame could not be worked on'))
      .finally(() => {
        this.#busy = false;
        this.#giveBack(item);
        const next = this.#waiting;
        this.#waiting = null;
        if (next !== null) this.#hand(next);
      });
  }
}
