import { add, cross, dot, scale, sub, unit, type Vec } from './geometry.ts';

/** A pinhole camera on a mast. */
export class View {
  readonly width: number;
  readonly height: number;
  /** Pixels */
  readonly focal: number;
  readonly #from: Vec;
  readonly #right: Vec;
  readonly #up: Vec;
  readonly #ahead: Vec;

  /** @param towards the point that is in the middle of the picture */
  constructor(width: number, height: number, focal: number, from: Vec, towards: Vec) {
    this.width = width;
    this.height = height;
    this.focal = focal;
    this.#from = from;
    this.#ahead = unit(sub(towards, from));
    this.#right = unit(cross(this.#ahead, [0, 1, 0]));
    this.#up = cross(this.#right, this.#ahead);
  }

  get from(): Vec {
    return this.#from;
  }

  /** Pixels, from the upper left corner. */
  point(world: Vec): [number, number] {
    const away = sub(world, this.#from);
    const share = this.focal / dot(away, this.#ahead);
    return [this.width / 2 + dot(away, this.#right) * share, this.height / 2 - dot(away, this.#up) * share];
  }

  /** The direction in which a pixel looks. */
  ray(x: number, y: number): Vec {
    const aside = add(scale(this.#right, x - this.width / 2), scale(this.#up, this.height / 2 - y));
    return unit(add(scale(this.#ahead, this.focal), aside));
  }

  /** `point` of the three numbers at `at`, times `samples`, and 1/distance (negative: behind the camera). */
  see(world: Float32Array, seen: Float32Array, at: number, samples: number): void {
    const x = (world[at] as number) - this.#from[0];
    const y = (world[at + 1] as number) - this.#from[1];
    const z = (world[at + 2] as number) - this.#from[2];
    const near = 1 / (x * this.#ahead[0] + y * this.#ahead[1] + z * this.#ahead[2]);
    const share = this.focal * near;
    seen[at] = (this.width / 2 + (x * this.#right[0] + y * this.#right[1] + z * this.#right[2]) * share) * samples;
    seen[at + 1] = (this.height / 2 - (x * this.#up[0] + y * this.#up[1] + z * this.#up[2]) * share) * samples;
    seen[at + 2] = near;
  }
}
