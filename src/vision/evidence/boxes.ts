import type { Box } from '../picture.ts';

/** What may be drawn on: rgb24, of its own memory. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

const RED = [0xff, 0x3b, 0x30] as const;
const MOST = 32;

/** Draws boxes into a picture, as wide as they can be seen. @param boxes in its pixels; what lies outside is left out */
export function drawBoxes(canvas: Canvas, boxes: readonly Box[]): void {
  // Three pixels: JPEG keeps colour for every other one.
  const line = Math.max(3, Math.round(canvas.width / 240));
  const half = line / 2;
  for (const { x1, y1, x2, y2 } of boxes.slice(0, MOST)) {
    fill(canvas, x1 - half, y1 - half, x2 + half, y1 + half);
    fill(canvas, x1 - half, y2 - half, x2 + half, y2 + half);
    fill(canvas, x1 - half, y1 - half, x1 + half, y2 + half);
    fill(canvas, x2 - half, y1 - half, x2 + half, y2 + half);
  }
}

function fill({ width, height, data }: Canvas, x1: number, y1: number, x2: number, y2: number): void {
  const within = (at: number, end: number): number => Math.min(end, Math.max(0, Math.round(at)));
  const [left, right] = [within(x1, width), within(x2, width)];
  for (let y = within(y1, height); y < within(y2, height); y += 1) {
    for (let at = (y * width + left) * 3; at < (y * width + right) * 3; at += 3) data.set(RED, at);
  }
}
