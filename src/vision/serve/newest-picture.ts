import { bytesOf, copied } from '../capture/colour.ts';
import type { Picture } from '../picture.ts';

/** A picture as JPEG; may take its time. */
export type EncodeJpeg = (picture: Picture) => Promise<Buffer>;

export interface Shown {
  readonly jpeg: Buffer;
  /** When it was seen, wall time in ms */
  readonly at: number;
}

/**
 * The newest analysed picture of a camera, made into a JPEG only when somebody asks, and once for all who do. Who
 * follows gets each new one as soon as the one before is done: a busy machine shows fewer, never older ones. It is a copy:
 * the camera writes the next frame over its own.
 */
export class NewestPicture {
  readonly #encode: EncodeJpeg;
  readonly #followers = new Set<(shown: Shown) => void>();
  #newest: { readonly picture: Picture; readonly at: number } | null = null;
  #shown: { readonly of: Picture; readonly shown: Promise<Shown> } | null = null;
  #busy = false;
  /** Memory of a picture that is encoded. */
  #free: Uint8Array | null = null;

  constructor(encode: EncodeJpeg) {
    this.#encode = encode;
  }

  /** When the newest picture was seen; `null` before the first. */
  get at(): number | null {
    return this.#newest?.at ?? null;
  }

  /** @param picture is copied @param at wall time, ms */
  put(picture: Picture, at: number): void {
    this.#newest = { picture: copied(picture, this.#room(bytesOf(picture).length)), at };
    if (this.#followers.size > 0 && !this.#busy) void this.#deliver();
  }

  /** The camera is gone: an old picture must not pass for a new one. */
  clear(): void {
    this.#newest = null;
    this.#shown = null;
  }

  /** @returns `null` when there is none */
  get(): Promise<Shown> | null {
    const newest = this.#newest;
    if (newest === null) return null;
    if (this.#shown?.of !== newest.picture) {
      const shown = this.#encode(newest.picture)
        .finally(() => {
          this.#free = bytesOf(newest.picture);
        })
        .then((jpeg) => ({ jpeg, at: newest.at }));
      this.#shown = { of: newest.picture, shown };
    }
    return this.#shown?.shown ?? null;
  }

  /** @returns what ends the following */
  follow(fn: (shown: Shown) => void): () => void {
    this.#followers.add(fn);
    this.get()?.then(fn, () => undefined);
    return () => void this.#followers.delete(fn);
  }

  /** Memory for the next picture: of the newest when nobody has asked for that, of one that is encoded, or new. */
  #room(length: number): Uint8Array {
    const before = this.#newest?.picture ?? null;
    const unasked = before !== null && before !== this.#shown?.of;
    const room = unasked ? bytesOf(before) : this.#free;
    if (!unasked) this.#free = null;
    return room?.length === length ? room : new Uint8Array(length);
  }

  async #deliver(): Promise<void> {
    this.#busy = true;
    try {
      const shown = await this.get();
      if (shown !== null) for (const follower of [...this.#followers]) follower(shown);
    } catch {
      // A picture that cannot be encoded is not shown; the next one may be.
    } finally {
      this.#busy = false;
    }
  }
}
