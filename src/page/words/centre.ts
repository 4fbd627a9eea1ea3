import type { Words } from './pair.ts';

export const centreWords = {
  title: ['上级平台', 'Command centre'],
} as const satisfies Words;
