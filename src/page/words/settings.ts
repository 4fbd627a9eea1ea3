import type { Words } from './pair.ts';

export const settingsWords = {
  title: ['设置', 'Settings'],
} as const satisfies Words;
