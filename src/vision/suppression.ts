import { type Detection, overlap } from './picture.ts';

/** What one picture may hold at most; a model gone wild must not fill the memory. */
const MOST = 300;

/**
 * Non-maximum suppression: the best first, and of those that overlap it by more than `iou` none.
 * @returns sorted by score, at most 300
 */
export function suppress<D extends Detection>(found: readonly D[], iou: number): D[] {
  const kept: D[] = [];
  for (const one of [...found].sort((a, b) => b.score - a.score)) {
    if (kept.length >= MOST) break;
    if (kept.every((better) => overlap(better, one) <= iou)) kept.push(one);
  }
  return kept;
}
