import type { Point } from '../picture.ts';
import { levelAt, xRange } from './geometry.ts';

export interface FenceShape {
  readonly id: string;
  /** Its upper edge and where it stands on the ground, pixels. */
  readonly top: readonly Point[];
  readonly base: readonly Point[];
  readonly direction: 'both' | 'in' | 'out';
  /** Which side is inside: the one the camera stands on, or the other one; `null` when it was not said. */
  readonly inside: 'near' | 'far' | null;
}

/** Fewer pixels than this between top and base is no fence one can climb in the picture. */
const LOWEST = 6;

/** A fence where somebody is. */
export interface Stretch {
  readonly top: number;
  readonly base: number;
  /** base - top, > 0 */
  readonly height: number;
}

export class Fence {
  readonly id: string;
  readonly direction: FenceShape['direction'];
  readonly inside: FenceShape['inside'];
  readonly #shape: FenceShape;
  readonly #from: number;
  readonly #to: number;

  constructor(shape: FenceShape) {
    this.#shape = shape;
    this.id = shape.id;
    this.direction = shape.direction;
    this.inside = shape.inside;
    const [top, base] = [xRange(shape.top), xRange(shape.base)];
    this.#from = Math.min(top.from, base.from);
    this.#to = Math.max(top.to, base.to);
  }

  /** @returns `null` beside its ends by more than `margin` pixels, and where top and base lie on each other */
  at(x: number, margin: number): Stretch | null {
    if (!(x >= this.#from - margin && x <= this.#to + margin)) return null;
    const top = levelAt(this.#shape.top, x, true);
    const base = levelAt(this.#shape.base, x, false);
    return base - top >= LOWEST ? { top, base, height: base - top } : null;
  }
}
