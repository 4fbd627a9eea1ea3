import type { Words } from './pair.ts';

export const devicesWords = {
  title: ['设备', 'Devices'],
} as const satisfies Words;
