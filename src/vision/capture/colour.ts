import { invariant } from '../../kernel/errors.ts';
import type { Picture } from '../picture.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Colours as a decoder gives them: I420, one byte of brightness a pixel and two of colour for each four, half of what rgb24
 * takes. Most pictures of a camera are never looked at in colour, so rgb is made of those that are (ADR 112).
 */

/** How brightness and colour differences make red, green and blue; which one, the stream says. */
export type Matrix = 'bt601' | 'bt709';

/** Bytes of I420 of a size; rows and columns of colour are rounded up. */
export const i420Length = ({ width, height }: Size): number =>
  width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);

/** Where a picture lies in a larger one; what is around it stays black. */
interface Place {
  readonly left: number;
  readonly top: number;
  readonly of: Size;
}

/** Memory that may be written over; asked for once a picture at most. */
export type Room = (length: number) => Uint8Array;

const fresh: Room = (length) => new Uint8Array(length);

/** A picture whose rgb is made when its `data` is first asked for. */
export class YuvPicture implements Picture {
  readonly width: number;
  readonly height: number;
  /** I420 of the part that is not padding */
  readonly planes: Uint8Array;
  readonly #matrix: Matrix;
  readonly #size: Size;
  readonly #place: Place | null;
  readonly #room: Room;
  #rgb: Uint8Array | null = null;

  /** @param size of `planes` @param place where they lie, when the picture is larger */
  constructor(planes: Uint8Array, size: Size, matrix: Matrix, { place = null as Place | null, room = fresh } = {}) {
    invariant(planes.length === i420Length(size), `${planes.length} bytes are no I420 of ${size.width}×${size.height}`);
    this.width = (place?.of ?? size).width;
    this.height = (place?.of ?? size).height;
    this.planes = planes;
    this.#matrix = matrix;
    this.#size = size;
    this.#place = place;
    this.#room = room;
  }

  get data(): Uint8Array {
    if (this.#rgb === null) {
      this.#rgb = this.#room(this.width * this.height * 3);
      const { left, top } = this.#place ?? { left: 0, top: 0 };
      toRgb(this.planes, this.#size, TABLES[this.#matrix], this.#rgb, 3 * (top * this.width + left), 3 * this.width);
    }
    return this.#rgb;
  }

  /** The same picture on other memory, that its planes have been copied to. */
  on(planes: Uint8Array): YuvPicture {
    return new YuvPicture(planes, this.#size, this.#matrix, { place: this.#place });
  }

  /** Every `step`-th pixel of every `step`-th row, for what needs no more; at least one. */
  sampled(step: number): Picture {
    const { width, height } = this.#size;
    const size = { width: Math.max(1, Math.floor(width / step)), height: Math.max(1, Math.floor(height / step)) };
    const small = new Uint8Array(i420Length(size));
    let into = 0;
    let from = 0;
    for (const part of [1, 2, 2]) {
      const [columns, rows] = [Math.ceil(width / part), Math.ceil(height / part)];
      const [across, down] = [Math.ceil(size.width / part), Math.ceil(size.height / part)];
      for (let row = 0; row < down; row += 1) {
        const start = from + Math.min(rows - 1, row * step + (step >> 1)) * columns;
        for (let column = 0; column < across; column += 1, into += 1) {
          small[into] = this.planes[start + Math.min(columns - 1, column * step + (step >> 1))] as number;
        }
      }
      from += columns * rows;
    }
    return new YuvPicture(small, size, this.#matrix);
  }
}

/** The bytes that a picture is kept in. */
export const bytesOf = (picture: Picture): Uint8Array =>
  picture instanceof YuvPicture ? picture.planes : picture.data;

/** The same picture with memory of its own. @param into of the length of its {@link bytesOf} */
export function copied(picture: Picture, into: Uint8Array = new Uint8Array(bytesOf(picture).length)): Picture {
  into.set(bytesOf(picture));
  return picture instanceof YuvPicture ? picture.on(into) : { ...picture, data: into };
}

/** Fixed point, 1/65536. */
interface Tables {
  readonly y: Int32Array;
  readonly rv: Int32Array;
  readonly gu: Int32Array;
  readonly gv: Int32Array;
  readonly bu: Int32Array;
}

/** @param red, blue weights of the matrix (ITU-R BT.601, BT.709); brightness is 16–235, colour 16–240 */
function tables(red: number, blue: number): Tables {
  const green = 1 - red - blue;
  const of = (weight: number, zero: number) =>
    Int32Array.from({ length: 256 }, (_, byte) => Math.round((byte - zero) * weight * 65_536));
  const colour = 255 / 224;
  return {
    y: of(255 / 219, 16).map((value) => value + 32_768),
    rv: of(2 * (1 - red) * colour, 128),
    gu: of((-2 * (1 - blue) * blue * colour) / green, 128),
    gv: of((-2 * (1 - red) * red * colour) / green, 128),
    bu: of(2 * (1 - blue) * colour, 128),
  };
}

const TABLES: Readonly<Record<Matrix, Tables>> = { bt601: tables(0.299, 0.114), bt709: tables(0.2126, 0.0722) };

/** Colour is repeated, as swscale does. 640×360 takes about half a millisecond. */
function toRgb(
  planes: Uint8Array,
  { width, height }: Size,
  { y: brightness, rv, gu, gv, bu }: Tables,
  into: Uint8Array,
  start: number,
  stride: number,
): void {
  // Clamped by the array: a comparison less for each byte.
  const out = new Uint8ClampedArray(into.buffer, into.byteOffset, into.length);
  const columns = (width + 1) >> 1;
  const us = width * height;
  const vs = us + columns * ((height + 1) >> 1);
  for (let row = 0; row < height; row += 1) {
    let to = start + row * stride;
    let from = row * width;
    const end = from + width;
    let chroma = (row >> 1) * columns;
    while (from < end) {
      const u = planes[us + chroma] as number;
      const v = planes[vs + chroma] as number;
      chroma += 1;
      const red = rv[v] as number;
      const green = (gu[u] as number) + (gv[v] as number);
      const blue = bu[u] as number;
      let light = brightness[planes[from] as number] as number;
      out[to] = (light + red) >> 16;
      out[to + 1] = (light + green) >> 16;
      out[to + 2] = (light + blue) >> 16;
      from += 1;
      to += 3;
      if (from === end) break;
      light = brightness[planes[from] as number] as number;
      out[to] = (light + red) >> 16;
      out[to + 1] = (light + green) >> 16;
      out[to + 2] = (light + blue) >> 16;
      from += 1;
      to += 3;
    }
  }
}
