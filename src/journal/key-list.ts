const KEY_BYTES = 16;

/** Content keys in order, end to end in one buffer: thousands of small ones would cost ten times the memory. */
export class KeyList {
  #bytes = Buffer.alloc(256 * KEY_BYTES);
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  push(key: Uint8Array): void {
    if ((this.#length + 1) * KEY_BYTES > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    this.#bytes.set(key, this.#length * KEY_BYTES);
    this.#length += 1;
  }

  /** Forgets all but the first `length`. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** All of them; valid until the next change. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length * KEY_BYTES);
  }
}
