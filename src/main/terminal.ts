import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Standard output of a command: waits for a slow reader, and knows when the reader has gone away (`| head`). */
export class Terminal {
  readonly #out: Writable;
  #gone = false;

  constructor(out: Writable = process.stdout) {
    this.#out = out;
    out.on('error', (thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'EPIPE' && thrown.code !== 'ERR_STREAM_DESTROYED') throw thrown;
      this.#gone = true;
    });
  }

  /** Nobody reads any more: there is no point in going on. */
  get gone(): boolean {
    return this.#gone;
  }

  async line(text = ''): Promise<void> {
    if (this.#gone || this.#out.write(`${text}\n`)) return;
    // 'error' rejects `once`; what it means has been noted above.
    await once(this.#out, 'drain').catch(() => undefined);
  }

  /** One value as one line of JSON. */
  json(value: unknown): Promise<void> {
    return this.line(JSON.stringify(value));
  }
}

/** A person's line in both languages: Chinese, then English below it. */
export interface Bilingual {
  readonly zh: string;
  readonly en: string;
}
