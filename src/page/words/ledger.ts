import type { Words } from './pair.ts';

export const ledgerWords = {
  title: ['台账与报表', 'Ledger and reports'],
} as const satisfies Words;
