/** Pixels, boxes and points. Everything is in pixels of the picture it was found in, x to the right and y down. */

/** rgb24: three bytes a pixel, rows from the top, no padding. `data.length === width * height * 3`. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** One byte a pixel. `data.length === width * height`. */
export interface Grey {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Corners, `x1 <= x2`, `y1 <= y2`; may reach outside the picture. */
export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** @property score 0–1 */
export interface Detection extends Box {
  readonly score: number;
}

/** @property score 0–1 */
export interface Keypoint extends Point {
  readonly score: number;
}

export const widthOf = (box: Box): number => box.x2 - box.x1;
export const heightOf = (box: Box): number => box.y2 - box.y1;

/** Intersection over union, 0–1. */
export function overlap(a: Box, b: Box): number {
  const w = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const h = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (w <= 0 || h <= 0) return 0;
  const both = w * h;
  return both / (widthOf(a) * heightOf(a) + widthOf(b) * heightOf(b) - both);
}

/** How a picture lies inside a model's input: scaled by `scale`, then moved by (`left`, `top`); the rest is padding. */
export interface Letterbox {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
  /** Size of the scaled picture inside the input, whole pixels. */
  readonly width: number;
  readonly height: number;
}

/** The largest place of the same shape, in the middle (as ffmpeg's `scale=…:force_original_aspect_ratio=decrease,pad`). */
export function letterbox(from: { width: number; height: number }, into: { width: number; height: number }): Letterbox {
  const scale = Math.min(into.width / from.width, into.height / from.height);
  const width = Math.max(1, Math.round(from.width * scale));
  const height = Math.max(1, Math.round(from.height * scale));
  return {
    scale,
    width,
    height,
    left: Math.floor((into.width - width) / 2),
    top: Math.floor((into.height - height) / 2),
  };
}

/** A box of the model's input back in pixels of the picture. */
export function unletterbox<B extends Box>(box: B, { scale, left, top }: Letterbox): B {
  return {
    ...box,
    x1: (box.x1 - left) / scale,
    y1: (box.y1 - top) / scale,
    x2: (box.x2 - left) / scale,
    y2: (box.y2 - top) / scale,
  };
}
