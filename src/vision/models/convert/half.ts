/** IEEE 754 binary16, which Node 20 has no array for. */

const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

/** Every one of the 65,536 halves as a float. */
const DECODED: Float32Array = Float32Array.from({ length: 65_536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1_024) * 2 ** (exponent - 15);
});

export const halfToFloat = (bits: number): number => DECODED[bits] ?? Number.NaN;

/** Bits of a value that is a half: nothing is rounded, because nothing else is asked of it. */
export function floatToHalf(value: number): number {
  floats[0] = value;
  const word = words[0] ?? 0;
  const sign = (word >>> 16) & 0x8000;
  const exponent = ((word >>> 23) & 0xff) - 112;
  const fraction = word & 0x7f_ffff;
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent >= 1) return sign | (exponent << 10) | (fraction >>> 13);
  // Subnormal: the hidden one is written out.
  return exponent < -10 ? sign : sign | ((fraction | 0x80_0000) >>> (14 - exponent));
}
