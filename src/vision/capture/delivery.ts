import { messageOf } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';

/**
 * What is live is handed over one at a time: while the receiver is busy only the newest is kept, and each one that it never
 * saw is counted.
 */
export class Newest<T> {
  readonly #give: (item: T) => void | Promise<void>;
  readonly #unseen: (item: T) => void;
  readonly #log: Log;
  #waiting: T | null = null;
  #busy = false;
  shed = 0;

  /** @param unseen told of each item that was never handed over */
  constructor(give: (item: T) => void | Promise<void>, unseen: (item: T) => void, log: Log) {
    this.#give = give;
    this.#unseen = unseen;
    this.#log = log;
  }

  offer(item: T): void {
    if (!this.#busy) {
      this.#hand(item);
      return;
    }
    if (this.#waiting !== null) {
      this.shed += 1;
      this.#unseen(this.#waiting);
    }
    this.#waiting = item;
  }

  #hand(item: T): void {
    let done: void | Promise<void>;
    try {
      done = this.#give(item);
    } catch (thrown) {
      this.#log.error({ err: thrown }, 'a frame could not be worked on');
      return;
    }
    if (!(done instanceof Promise)) return;
    this.#busy = true;
    done
      .catch((thrown: unknown) => this.#log.error({ err: messageOf(thrown) }, 'a frame could not be worked on'))
      .finally(() => {
        this.#busy = false;
        const next = this.#waiting;
        this.#waiting = null;
        if (next !== null) this.#hand(next);
      });
  }
}
