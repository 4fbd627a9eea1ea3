import { type Box, heightOf, widthOf } from '../picture.ts';

/** How hard people change their speed, in their own heights per second². */
const ACCELERATION = 2;
/** How far a detector's box lies beside the person, in heights. */
const JITTER = 0.04;
/** How fast somebody may be moving when first seen, heights a second. */
const FIRST_SPEED = 1.5;
/** How much of a new width and height is believed at once. */
const SIZE_SHARE = 0.5;
/** Longest way ahead that is predicted, seconds: further on, constant velocity is worse than standing still. */
const LOOK_AHEAD = 1;

/** One coordinate: where, how fast, and how sure of both. The Kalman filter of constant velocity. */
class Coordinate {
  position: number;
  speed = 0;
  #pp: number;
  #pv = 0;
  #vv: number;

  constructor(position: number, height: number) {
    this.position = position;
    this.#pp = (JITTER * height) ** 2;
    this.#vv = (FIRST_SPEED * height) ** 2;
  }

  after(dt: number): number {
    return this.position + this.speed * Math.min(dt, LOOK_AHEAD);
  }

  correct(measured: number, dt: number, height: number): void {
    const q = (ACCELERATION * height) ** 2;
    const pp = this.#pp + 2 * dt * this.#pv + dt * dt * this.#vv + (q * dt ** 4) / 4;
    const pv = this.#pv + dt * this.#vv + (q * dt ** 3) / 2;
    const vv = this.#vv + q * dt * dt;
    const gain = 1 / (pp + (JITTER * height) ** 2);
    const predicted = this.after(dt);
    const miss = measured - predicted;
    this.position = predicted + pp * gain * miss;
    this.speed += pv * gain * miss;
    this.#pp = pp * (1 - pp * gain);
    this.#pv = pv * (1 - pp * gain);
    this.#vv = vv - pv * pv * gain;
  }
}

/** Where a person will be, from the boxes there have been. Times are seconds between sightings, of any length. */
export class MotionModel {
  readonly #x: Coordinate;
  readonly #y: Coordinate;
  #width: number;
  #height: number;

  constructor(box: Box) {
    this.#width = widthOf(box);
    this.#height = Math.max(1, heightOf(box));
    this.#x = new Coordinate((box.x1 + box.x2) / 2, this.#height);
    this.#y = new Coordinate((box.y1 + box.y2) / 2, this.#height);
  }

  /** Smoothed, pixels. */
  get height(): number {
    return this.#height;
  }

  /** Pixels a second. */
  get velocity(): { readonly x: number; readonly y: number } {
    return { x: this.#x.speed, y: this.#y.speed };
  }

  /** @param dt seconds since the last box */
  predict(dt: number): Box {
    const [x, y] = [this.#x.after(dt), this.#y.after(dt)];
    const [w, h] = [this.#width / 2, this.#height / 2];
    return { x1: x - w, y1: y - h, x2: x + w, y2: y + h };
  }

  /** @param dt seconds since the last box, > 0 */
  correct(box: Box, dt: number): void {
    this.#x.correct((box.x1 + box.x2) / 2, dt, this.#height);
    this.#y.correct((box.y1 + box.y2) / 2, dt, this.#height);
    this.#width += SIZE_SHARE * (widthOf(box) - this.#width);
    this.#height = Math.max(1, this.#height + SIZE_SHARE * (heightOf(box) - this.#height));
  }
}
