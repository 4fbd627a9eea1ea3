import type { Writable } from 'node:stream';

const REPEAT_MS = 5_000;
const MB = 1_000_000;

/**
 * Tells on standard error what is being done: at a terminal in one line that changes, elsewhere a line a step, and again
 * every few seconds for a long one.
 */
export class StepLine {
  readonly #out: Writable & { isTTY?: boolean };
  readonly #now: () => number;
  #step = '';
  #since = 0;
  #told = Number.NEGATIVE_INFINITY;

  constructor(out: Writable & { isTTY?: boolean }, now: () => number = () => performance.now()) {
    this.#out = out;
    this.#now = now;
  }

  /** @param bytes so far, where that is known */
  show(step: string, bytes: number | null): void {
    const now = this.#now();
    if (step !== this.#step) {
      this.#step = step;
      this.#since = now;
    } else if (this.#out.isTTY !== true && now - this.#told < REPEAT_MS) return;
    this.#told = now;
    const seconds = Math.round((now - this.#since) / 1_000);
    const text = `${step}${bytes === null ? '' : `  ${(bytes / MB).toFixed(1)} MB`}${seconds > 0 ? `  ${seconds} s` : ''} …`;
    this.#out.write(this.#out.isTTY === true ? `\r\u001B[2K${text}` : `${text}\n`);
  }

  /** Takes the line that changes away. */
  end(): void {
    if (this.#out.isTTY === true && this.#step !== '') this.#out.write('\r\u001B[2K');
    this.#step = '';
  }
}
