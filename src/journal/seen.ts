/** Keys in one generation; a whole generation is forgotten at once. */
const GENERATION = 131_072;
const KEY_BYTES = 16;
/** Slots of a generation, new and full. */
const SMALLEST = 1_024;
const LARGEST = GENERATION * 1.5 + 64;

/** Hash table of 64-bit fingerprints, linear probing; at most two thirds full. Zero marks a free slot. */
class Generation {
  size = 0;
  #slots: Uint32Array;

  /** @param slots to begin with; more are taken when they fill */
  constructor(slots: number) {
    this.#slots = new Uint32Array(slots * 2);
  }

  has(low: number, high: number): boolean {
    return this.#slots[this.#find(low, high) * 2] !== 0;
  }

  add(low: number, high: number): void {
    if ((this.size + 1) * 3 > this.#slots.length) this.#grow();
    const at = this.#find(low, high) * 2;
    if (this.#slots[at] !== 0) return;
    this.#slots[at] = low;
    this.#slots[at + 1] = high;
    this.size += 1;
  }

  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** The slot that holds the fingerprint, or the free one where it belongs. */
  #find(low: number, high: number): number {
    const slots = this.#slots;
    const count = slots.length / 2;
    // Multiply-shift onto any number of slots, so that growing need not double what is already large.
    let at = Math.floor((high / 0x1_0000_0000) * count);
    while (slots[at * 2] !== 0 && (slots[at * 2] !== low || slots[at * 2 + 1] !== high))
      at = at + 1 === count ? 0 : at + 1;
    return at;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(Math.min(old.length * 2, LARGEST * 2));
    this.size = 0;
    for (let i = 0; i < old.length; i += 2) {
      const low = old[i] as number;
      if (low !== 0) this.add(low, old[i + 1] as number);
    }
  }
}

/**
 * The content keys of the newest million or so entries, in about 14 MB (less while there are fewer). Keys are kept as
 * 64-bit fingerprints under a secret of this process: nobody outside can make two messages collide on purpose, and by
 * chance one message in 10^13 would be taken for a duplicate.
 */
export class SeenKeys {
  readonly #capacity: number;
  readonly #secret: Uint32Array;
  /** oldest first */
  readonly #generations: Generation[] = [new Generation(SMALLEST)];

  /** @param capacity keys that are certainly remembered; up to a generation more may be */
  constructor(capacity: number, random: Uint32Array = crypto.getRandomValues(new Uint32Array(10))) {
    this.#capacity = capacity;
    // Odd factors lose nothing of the word they multiply.
    this.#secret = random.map((word, i) => (i < 8 ? word | 1 : word));
  }

  has(key: Uint8Array): boolean {
    const { low, high } = this.#fingerprint(key, 0);
    for (let i = this.#generations.length - 1; i >= 0; i -= 1) {
      if (this.#generations[i]?.has(low, high) === true) return true;
    }
    return false;
  }

  add(key: Uint8Array): void {
    this.#addAt(key, 0);
  }

  /** @param run keys of 16 bytes each, oldest first */
  addRun(run: Uint8Array): void {
    for (let at = 0; at + KEY_BYTES <= run.length; at += KEY_BYTES) this.#addAt(run, at);
  }

  get size(): number {
    return this.#generations.reduce((sum, generation) => sum + generation.size, 0);
  }

  get bytes(): number {
    return this.#generations.reduce((sum, generation) => sum + generation.bytes, 0);
  }

  #addAt(bytes: Uint8Array, at: number): void {
    const { low, high } = this.#fingerprint(bytes, at);
    let newest = this.#generations.at(-1) as Generation;
    if (newest.size >= GENERATION) {
      newest = new Generation(LARGEST); // whoever has filled one will fill the next
      this.#generations.push(newest);
      if (this.size - (this.#generations[0]?.size ?? 0) >= this.#capacity) this.#generations.shift();
    }
    newest.add(low, high);
  }

  #fingerprint(bytes: Uint8Array, at: number): { low: number; high: number } {
    const secret = this.#secret;
    let low = secret[8] as number;
    let high = secret[9] as number;
    for (let i = 0; i < 4; i += 1) {
      const from = at + i * 4;
      const word =
        (bytes[from] as number) |
        ((bytes[from + 1] as number) << 8) |
        ((bytes[from + 2] as number) << 16) |
        ((bytes[from + 3] as number) << 24);
      low = mix(Math.imul(low ^ word, secret[i] as number));
      high = mix(Math.imul(high ^ word, secret[i + 4] as number));
    }
    return { low: low >>> 0 || 1, high: high >>> 0 };
  }
}

const mix = (word: number): number => word ^ (word >>> 15);
