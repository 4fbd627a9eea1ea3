/** Less than this part of what was asked for, in each of so many looks: the decoder gets too little, or the camera gives it. */
const LITTLE = 0.6;
/** A rate that does not divide the camera's is met only nearly: down to three quarters of it. */
const ENOUGH = 0.72;
const LOOKS = 3;

/**
 * Whether a camera's decoder gives as many pictures as were asked of it. A decoder that gets too little of the processor
 * stays behind the camera, and nothing else shows it: what it gives is looked at, and nothing is shed.
 */
export class Starvation {
  readonly #tell: (active: boolean, reason: string) => void;
  #expected: number | null = null;
  /** What came before the first whole look is not counted. */
  #fresh = true;
  #streak = 0;
  #active = false;

  constructor(tell: (active: boolean, reason: string) => void) {
    this.#tell = tell;
  }

  /** @param fps that a stream that has just begun can give; `null`: there is none, and that is told by others */
  expect(fps: number | null): void {
    this.#expected = fps;
    this.#fresh = true;
    this.#streak = 0;
    if (fps === null && this.#active) this.#change('there is no picture at all');
  }

  /** @param fps pictures a second that came since the last look, looked at or not */
  look(fps: number): void {
    const expected = this.#expected;
    if (expected === null) return;
    if (this.#fresh) {
      this.#fresh = false;
      return;
    }
    const part = fps / expected;
    this.#streak = (this.#active ? part >= ENOUGH : part < LITTLE) ? this.#streak + 1 : 0;
    if (this.#streak < LOOKS) return;
    const come = `${fps.toFixed(1)} of ${Math.round(expected * 10) / 10} pictures a second come`;
    this.#change(this.#active ? come : `${come}: this box is too busy to decode them, or the camera sends fewer`);
  }

  #change(reason: string): void {
    this.#streak = 0;
    this.#active = !this.#active;
    this.#tell(this.#active, reason);
  }
}
