import type { Words } from './pair.ts';

export const doorsWords = {
  title: ['门禁', 'Doors'],
} as const satisfies Words;
