import { InvalidArgumentError } from 'commander';

/** A parser of whole numbers for commander options. */
export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(
        `a whole number from ${least}${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ''}`,
      );
    }
    return value;
  };

/** A share from 0 to 1. */
export function share(text: string): number {
  const value = Number(text);
  if (!/^(0|1|0?\.\d+|1\.0+)$/.test(text) || value < 0 || value > 1) {
    throw new InvalidArgumentError('a number from 0 to 1');
  }
  return value;
}
