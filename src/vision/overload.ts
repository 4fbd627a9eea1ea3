import type { Cancel, Clock } from '../kernel/clock.ts';

const LOOK_MS = 10_000;
/** More than this part of what came was not looked at, in each of so many looks: too much to do. */
const MUCH = 0.2;
const LITTLE = 0.05;
const LOOKS = 3;

export interface Work {
  /** Pictures that were looked at, since the start */
  readonly done: number;
  /** Pictures that were given up because newer ones came */
  readonly shed: number;
}

/**
 * Whether there is more to look at than this box can: told when a fifth of the pictures is shed half a minute long, and
 * over when hardly any is.
 */
export class Overload {
  readonly #work: () => Work;
  readonly #tell: (active: boolean, reason: string) => void;
  readonly #timer: Cancel;
  #before: Work;
  #streak = 0;
  #active = false;

  constructor(clock: Clock, work: () => Work, tell: (active: boolean, reason: string) => void) {
    this.#work = work;
    this.#tell = tell;
    this.#before = work();
    this.#timer = clock.every(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#timer.cancel();
  }

  #look(): void {
    const now = this.#work();
    const done = Math.max(0, now.done - this.#before.done);
    const shed = Math.max(0, now.shed - this.#before.shed);
    this.#before = now;
    const part = done + shed === 0 ? 0 : shed / (done + shed);
    this.#streak = (this.#active ? part < LITTLE : part > MUCH) ? this.#streak + 1 : 0;
    if (this.#streak < LOOKS) return;
    this.#streak = 0;
    this.#active = !this.#active;
    this.#tell(this.#active, `${Math.round(part * 100)} % of the pictures are not looked at`);
  }
}
