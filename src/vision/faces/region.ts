import sharp, { type Sharp } from 'sharp';
import type { Box, Picture } from '../picture.ts';

/** A part of a picture, scaled. `region` is what it shows, in pixels of the picture; it may reach outside (black there). */
export interface Cutting {
  readonly picture: Picture;
  readonly region: Box;
}

const raw = ({ width, height, data }: Picture): Sharp =>
  sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });

/**
 * Cuts a part out of a picture and scales it to `width` × `height`, both natively: no pixel of a whole frame passes through
 * JavaScript. The region is moved to whole pixels; what lies outside the picture is black.
 */
export async function cut(picture: Picture, wanted: Box, width: number, height: number): Promise<Cutting> {
  const x1 = Math.round(wanted.x1);
  const y1 = Math.round(wanted.y1);
  const region = { x1, y1, x2: Math.max(x1 + 1, Math.round(wanted.x2)), y2: Math.max(y1 + 1, Math.round(wanted.y2)) };
  const [left, top] = [Math.max(0, region.x1), Math.max(0, region.y1)];
  const [right, bottom] = [Math.min(picture.width, region.x2), Math.min(picture.height, region.y2)];
  if (right <= left || bottom <= top)
    return { picture: { width, height, data: new Uint8Array(width * height * 3) }, region };
  const across = (x: number): number => Math.round(((x - region.x1) * width) / (region.x2 - region.x1));
  const down = (y: number): number => Math.round(((y - region.y1) * height) / (region.y2 - region.y1));
  const inner = {
    left: Math.min(across(left), width - 1),
    top: Math.min(down(top), height - 1),
    right: Math.max(across(right), 1),
    bottom: Math.max(down(bottom), 1),
  };
  const place = {
    width: Math.max(1, inner.right - inner.left),
    height: Math.max(1, inner.bottom - inner.top),
  };
  const data = await raw(picture)
    .extract({ left, top, width: right - left, height: bottom - top })
    .resize(place.width, place.height, { fit: 'fill', kernel: 'linear' })
    .extend({
      left: inner.left,
      top: inner.top,
      right: Math.max(0, width - inner.left - place.width),
      bottom: Math.max(0, height - inner.top - place.height),
      background: '#000',
    })
    .raw()
    .toBuffer();
  return { picture: { width, height, data }, region };
}
