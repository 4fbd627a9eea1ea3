import sharp from 'sharp';
import type { Picture } from './picture.ts';

/** A picture as JPEG. @param quality 1–100 */
export const jpegOf = ({ width, height, data }: Picture, quality: number): Promise<Buffer> =>
  sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
