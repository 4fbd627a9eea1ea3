import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { type Message, rankOf } from './message.ts';

/** Told within this after it happened, an event is news; later it is recorded and rings no more, ms. */
export const NEWS_MS = 15_000;
const LARGEST_FILE = 16 * 1024 * 1024;

export interface OutboxParts {
  /** Where what waits survives a restart; its directory exists. */
  readonly file: string;
  /** Events kept at most */
  readonly most: number;
  readonly clock: Clock;
  readonly log: Log;
}

interface Waiting {
  readonly message: Message;
  /** Monotonic time it happened; `null`: in an earlier process. */
  readonly since: number | null;
}

const Kept = z.object({
  id: z.string().min(1).max(64),
  time: z.iso.datetime(),
  telling: z.looseObject({ type: z.string().max(40) }),
});

/**
 * Events the gateway has not confirmed yet, oldest first. Bounded: when it is full the least important goes, of those
 * the oldest, and is counted. Kept in a file as well, so that a restart does not lose what could not be told; a disk
 * that cannot be written costs that and nothing else.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #waiting = new Map<string, Waiting>();
  #lines = 0;
  #dropped = 0;
  #complained = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    for (const message of this.#read()) this.#waiting.set(message.id, { message, since: null });
    while (this.#waiting.size > parts.most) this.#drop();
    if (this.#lines > 0) this.#rewrite();
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Given up for want of room, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  add(message: Message): void {
    if (this.#waiting.size >= this.#parts.most) this.#drop();
    this.#waiting.set(message.id, { message, since: this.#parts.clock.mono() });
    this.#write(() => appendFileSync(this.#parts.file, `${JSON.stringify(message)}\n`, { mode: 0o600 }));
    this.#lines += 1;
    if (this.#lines > 2 * this.#parts.most) this.#rewrite();
  }

  /** The gateway has it. */
  confirmed(id: string): void {
    if (!this.#waiting.delete(id)) return;
    if (this.#waiting.size === 0) this.#rewrite();
  }

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** What waits, oldest first, and whether it would be told late now. */
  *[Symbol.iterator](): Generator<{ readonly message: Message; readonly late: boolean }> {
    const now = this.#parts.clock.mono();
    for (const { message, since } of this.#waiting.values()) {
      yield { message, late: since === null || now - since > NEWS_MS };
    }
  }

  #drop(): void {
    let least: [string, number] | null = null;
    for (const [id, { message }] of this.#waiting) {
      const rank = rankOf(message);
      if (least === null || rank < least[1]) least = [id, rank];
    }
    if (least === null) return;
    this.#waiting.delete(least[0]);
    this.#dropped += 1;
    if (this.#dropped === 1 || this.#dropped % 100 === 0) {
      this.#parts.log.warn({ dropped: this.#dropped, most: this.#parts.most }, 'events that wait had to be given up');
    }
  }

  #rewrite(): void {
    const { file } = this.#parts;
    const text = [...this.#waiting.values()].map(({ message }) => `${JSON.stringify(message)}\n`).join('');
    this.#write(() => {
      writeFileSync(`${file}.new`, text, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    });
    this.#lines = this.#waiting.size;
  }

  #write(write: () => void): void {
    try {
      write();
      this.#complained = false;
    } catch (thrown) {
      if (!this.#complained) this.#parts.log.warn({ err: thrown }, 'what waits to be told cannot be kept on disk');
      this.#complained = true;
    }
  }

  /** The last line may be half a one: the power went while it was written. */
  #read(): Message[] {
    const { file, log } = this.#parts;
    try {
      if (!existsSync(file)) return [];
      const text = readFileSync(file, 'utf8').slice(-LARGEST_FILE);
      const lines = text.split('\n').filter((line) => line !== '');
      this.#lines = lines.length;
      return lines.flatMap((line) => {
        const parsed = Kept.safeParse(parse(line));
        // What it says was checked when it was made; the gateway's profile looks at it again.
        return parsed.success ? [parsed.data as unknown as Message] : [];
      });
    } catch (thrown) {
      log.warn({ err: thrown }, 'what waited from the last time cannot be read');
      return [];
    }
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}
