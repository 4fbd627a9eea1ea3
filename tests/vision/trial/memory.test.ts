import { expect, test } from 'vitest';
import { freeMemory, leftIn } from '../../../src/vision/trial/memory.ts';

const MB = 1024 ** 2;
/** A box that has written evidence for hours: at its limit, and two thirds of that are files. */
const busy = {
  high: `${1_200 * MB}\n`,
  max: `${1_500 * MB}\n`,
  current: `${1_199 * MB}\n`,
  stat: `anon ${380 * MB}\nfile ${800 * MB}\nfile_mapped 0\ninactive_anon 0\nactive_anon ${380 * MB}\ninactive_file ${600 * MB}\nactive_file ${190 * MB}\nunevictable 0\nworkingset_refault_file 12\n`,
};

test('files that the kernel keeps for itself are no reason to refuse; what programs hold is', () => {
  expect(leftIn(busy)).toBe(791 * MB);
  // Over the lower limit for a moment, as the kernel allows.
  expect(leftIn({ ...busy, current: `${1_300 * MB}` })).toBe(690 * MB);
  const held = `anon ${1_190 * MB}\ninactive_file ${3 * MB}\nactive_file 0\n`;
  expect(leftIn({ ...busy, stat: held })).toBe(4 * MB);
  expect(leftIn({ ...busy, current: `${1_400 * MB}`, stat: held })).toBe(0);
  expect(leftIn({ ...busy, high: 'max\n' })).toBe(1_091 * MB);
});

test('without a limit, or with files that say something else, the group is not asked', () => {
  expect(leftIn({ ...busy, high: 'max\n', max: 'max\n' })).toBeNull();
  for (const wrong of [{ high: '' }, { max: 'much' }, { current: '-1' }, { stat: 'anon 5\n' }]) {
    expect(leftIn({ ...busy, ...wrong }), JSON.stringify(wrong)).toBeNull();
  }
  expect(freeMemory()).toBeGreaterThan(0);
});
