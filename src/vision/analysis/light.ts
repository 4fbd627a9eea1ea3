import type { MonoMs } from '../../kernel/clock.ts';
import { YuvPicture } from '../capture/colour.ts';
import type { Picture } from '../picture.ts';

/** Every so many pixels and rows are enough to tell day from night. */
const STEP = 16;
/** Mean brightness, 0–255, and mean difference of a pixel's brightest and darkest colour. */
const DARK = 45;
const COLOURLESS = 5;
/** To be day again it must be so much lighter or more colourful. */
const AGAIN = 1.4;
/** A headlight makes no day, a passing lorry no night, ms. */
const HELD_MS = 3_000;

/**
 * Whether it is night for a camera: its picture is dark, or without colour because it has switched to infrared.
 * In the first picture it is what it looks like.
 */
export class Light {
  #night: boolean | null = null;
  #otherSince: MonoMs | null = null;

  get night(): boolean {
    return this.#night ?? false;
  }

  look(picture: Picture, at: MonoMs): void {
    const { brightness, colour } = measure(picture);
    const factor = this.#night === true ? AGAIN : 1;
    const looks = brightness < DARK * factor || colour < COLOURLESS * factor;
    if (this.#night === null) this.#night = looks;
    if (looks === this.#night) {
      this.#otherSince = null;
      return;
    }
    this.#otherSince ??= at;
    if (at - this.#otherSince >= HELD_MS) {
      this.#night = looks;
      this.#otherSince = null;
    }
  }
}

function measure(picture: Picture): { brightness: number; colour: number } {
  const [{ width, height, data }, step] =
    picture instanceof YuvPicture ? [picture.sampled(STEP), 1] : ([picture, STEP] as const);
  let [brightness, colour, count] = [0, 0, 0];
  for (let y = step >> 1; y < height; y += step) {
    for (let x = step >> 1; x < width; x += step) {
      const at = 3 * (y * width + x);
      const [r, g, b] = [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
      brightness += 0.299 * r + 0.587 * g + 0.114 * b;
      colour += Math.max(r, g, b) - Math.min(r, g, b);
      count++;
    }
  }
  return count === 0 ? { brightness: 255, colour: 255 } : { brightness: brightness / count, colour: colour / count };
}
