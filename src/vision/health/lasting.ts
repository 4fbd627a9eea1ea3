/** ms */
export interface Dwell {
  /** It has to be so for this long before it is told. */
  readonly on: number;
  /** And over for this long before it is taken back. */
  readonly off: number;
}

/** A condition that is told only when it lasts, and taken back only when it is certainly over. */
export class Lasting {
  readonly #dwell: Dwell;
  #since: number | null = null;
  active = false;

  constructor(dwell: Dwell) {
    this.#dwell = dwell;
  }

  /**
   * @param holds `true`: it is so; `false`: it certainly is not; `null`: neither, or it cannot be said: nothing moves on
   * @param at ms, of any clock that does not step back
   * @returns whether `active` changed
   */
  look(holds: boolean | null, at: number): boolean {
    if (holds === null || holds === this.active) {
      this.#since = null;
      return false;
    }
    this.#since ??= at;
    if (at - this.#since < (holds ? this.#dwell.on : this.#dwell.off)) return false;
    this.active = holds;
    this.#since = null;
    return true;
  }
}
