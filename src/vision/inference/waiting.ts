/** A picture that waits for its run. */
export interface Waiting {
  readonly source: string;
}

export interface WaitingBounds {
  /** Pictures of one source */
  readonly perSource: number;
  /** Pictures of all sources */
  readonly total: number;
}

/**
 * Pictures that wait, by source. Sources take turns, so that one that sends much delays itself and not the others; what
 * is too much is the oldest of its source: the newest picture is the one worth looking at.
 */
export class WaitingPictures<P extends Waiting> {
  readonly #bounds: WaitingBounds;
  /** In the order of their turns. */
  readonly #sources = new Map<string, P[]>();
  #size = 0;

  constructor(bounds: WaitingBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns the picture given up for it, if any */
  add(picture: P): P | null {
    const line = this.#sources.get(picture.source);
    if (line === undefined) this.#sources.set(picture.source, [picture]);
    else line.push(picture);
    this.#size += 1;
    if ((line?.length ?? 1) > this.#bounds.perSource) return this.#oldestOf(picture.source);
    return this.#size > this.#bounds.total ? this.#oldestOf(this.#longest()) : null;
  }

  /** At most `most` of them, one source after the other. */
  take(most: number): P[] {
    const taken: P[] = [];
    while (taken.length < most) {
      const next = this.#sources.keys().next();
      if (next.done === true) break;
      const picture = this.#oldestOf(next.value);
      const line = this.#sources.get(next.value);
      if (line !== undefined) {
        this.#sources.delete(next.value);
        this.#sources.set(next.value, line);
      }
      taken.push(picture);
    }
    return taken;
  }

  #oldestOf(source: string): P {
    const line = this.#sources.get(source) ?? [];
    const picture = line.shift() as P;
    if (line.length === 0) this.#sources.delete(source);
    this.#size -= 1;
    return picture;
  }

  #longest(): string {
    let longest = '';
    let length = 0;
    for (const [source, line] of this.#sources) {
      if (line.length > length) {
        longest = source;
        length = line.length;
      }
    }
    return longest;
  }
}
