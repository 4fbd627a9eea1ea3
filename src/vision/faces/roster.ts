import type { EnrolledPerson, Template } from './gallery.ts';

/** Length of an embedding. */
export const LENGTH = 512;

export interface Match {
  readonly person: string;
  readonly blocked: boolean;
  /** Cosine with the mean of the person's templates. */
  readonly similarity: number;
  /** To the second best person; `similarity + 1` when there is no other. */
  readonly margin: number;
  /** Who that is; `null` when there is no other. */
  readonly second: string | null;
}

/**
 * Everybody who is enrolled, as one matrix [people, 512]: a row is the mean of a person's templates, of length 1. Matching
 * is exact: every row is compared. Rows are read four at a time, so that a value of the probe is loaded once for four.
 */
export class Roster {
  readonly #rows: Float32Array;
  readonly #people: readonly string[];
  readonly #blocked: ReadonlySet<string>;

  /** @param rows [people × 512], each of length 1 */
  constructor(people: readonly string[], rows: Float32Array, blocked: ReadonlySet<string> = new Set()) {
    this.#people = people;
    this.#rows = rows;
    this.#blocked = blocked;
  }

  static of(templates: readonly Template[], people: readonly EnrolledPerson[]): Roster {
    const sums = new Map<string, Float32Array>();
    for (const { person, embedding } of templates) {
      const sum = sums.get(person) ?? new Float32Array(LENGTH);
      for (let i = 0; i < LENGTH; i += 1) sum[i] = (sum[i] as number) + (embedding[i] as number);
      sums.set(person, sum);
    }
    const rows = new Float32Array(sums.size * LENGTH);
    let at = 0;
    for (const sum of sums.values()) {
      rows.set(unit(sum), at);
      at += LENGTH;
    }
    return new Roster(
      [...sums.keys()],
      rows,
      new Set(people.flatMap(({ person, blocked }) => (blocked ? [person] : []))),
    );
  }

  get size(): number {
    return this.#people.length;
  }

  /** The most similar person; `null` when nobody is enrolled. @param probe [512], of length 1 */
  match(probe: Float32Array): Match | null {
    let [best, second] = [-1, -1];
    let [bestScore, secondScore] = [-2, -2];
    this.#scores(probe, (row, score) => {
      if (score > bestScore) {
        [second, secondScore] = [best, bestScore];
        [best, bestScore] = [row, score];
      } else if (score > secondScore) [second, secondScore] = [row, score];
    });
    const person = this.#people[best];
    if (person === undefined) return null;
    return {
      person,
      blocked: this.#blocked.has(person),
      similarity: bestScore,
      margin: second === -1 ? bestScore + 1 : bestScore - secondScore,
      second: this.#people[second] ?? null,
    };
  }

  /** Everybody at least this similar, best first. */
  near(probe: Float32Array, least: number): { person: string; similarity: number }[] {
    const found: { person: string; similarity: number }[] = [];
    this.#scores(probe, (row, similarity) => {
      if (similarity >= least) found.push({ person: this.#people[row] as string, similarity });
    });
    return found.sort((a, b) => b.similarity - a.similarity);
  }

  #scores(probe: Float32Array, told: (row: number, score: number) => void): void {
    const rows = this.#rows;
    const count = this.#people.length;
    // 64-bit: converting each 32-bit value of the probe once, not once a row.
    const p = Float64Array.from(probe);
    let row = 0;
    for (; row + 4 <= count; row += 4) {
      let [a, b, c, d] = [0, 0, 0, 0];
      let at = row * LENGTH;
      for (let i = 0; i < LENGTH; i += 1, at += 1) {
        const v = p[i] as number;
        a += v * (rows[at] as number);
        b += v * (rows[at + LENGTH] as number);
        c += v * (rows[at + 2 * LENGTH] as number);
        d += v * (rows[at + 3 * LENGTH] as number);
      }
      told(row, a);
      told(row + 1, b);
      told(row + 2, c);
      told(row + 3, d);
    }
    for (; row < count; row += 1) {
      let sum = 0;
      for (let i = 0; i < LENGTH; i += 1) sum += (p[i] as number) * (rows[row * LENGTH + i] as number);
      told(row, sum);
    }
  }
}

/** Brought to length 1. */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / Math.max(1e-12, length));
}

/** Of two embeddings of length 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
