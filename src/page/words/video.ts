import type { Words } from './pair.ts';

export const videoWords = {
  title: ['视频', 'Video'],
} as const satisfies Words;
