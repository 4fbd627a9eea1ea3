import type { Words } from './pair.ts';

export const mapWords = {
  title: ['电子地图', 'Map'],
} as const satisfies Words;
