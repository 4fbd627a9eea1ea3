import type { Entry } from '../journal/entry.ts';
import type { Item } from './item.ts';

/** How many of the newest answers of the centre are remembered; older ones have only moved a cursor. */
const REMEMBERED = 2_000;

/** What the centre (or its broker) said about one event. */
export interface Receipted {
  readonly seq: number;
  /** `null` for what is about no alarm. */
  readonly alarm: string | null;
  readonly topic: string;
  /** wall clock, ms since the epoch */
  readonly at: number;
  /** From handing it to the line to the answer, ms. */
  readonly ms: number;
  /** Why it was refused for good; `null`: it was taken. */
  readonly rejected: string | null;
}

/**
 * How far one entry has come. `waiting` here · `sent` on the line · `taken` by the broker, the centre's receipt is
 * missing · `confirmed` · `rejected` for good · `passed` nothing is left to do and when it was done is not remembered:
 * confirmed before the last start, or a repetition that a newer one told.
 */
export interface Fate {
  readonly state: 'waiting' | 'sent' | 'taken' | 'confirmed' | 'rejected' | 'passed';
  readonly at: number | null;
  readonly ms: number | null;
  readonly reason: string | null;
}

export type Fated = Pick<Entry, 'seq' | 'lane' | 'subject'>;

/** The newest answers of this run, by entry. */
export class Receipts {
  readonly #bySeq = new Map<number, Receipted>();

  add({ seq, alarm, message }: Item, at: number, ms: number, rejected: string | null): void {
    this.#bySeq.delete(seq);
    this.#bySeq.set(seq, { seq, alarm, topic: message.topic, at, ms: Math.round(ms), rejected });
    if (this.#bySeq.size <= REMEMBERED) return;
    for (const oldest of this.#bySeq.keys()) {
      this.#bySeq.delete(oldest);
      break;
    }
  }

  get(seq: number): Receipted | null {
    return this.#bySeq.get(seq) ?? null;
  }

  /** Newest first. */
  newest(most: number): Receipted[] {
    return [...this.#bySeq.values()].slice(-most).reverse();
  }
}
