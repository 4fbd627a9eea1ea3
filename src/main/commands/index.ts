import type { Command } from 'commander';
import { addCheck } from './check.ts';
import { addGateway, addUp } from './gateway.ts';
import { addJournal } from './journal.ts';
import { addVerify } from './verify.ts';
import { addVersion } from './version.ts';

/** Every command of `quanwei`, in the order the help shows them. */
export const COMMANDS: readonly ((program: Command) => void)[] = [
  addUp,
  addGateway,
  addCheck,
  addJournal,
  addVerify,
  addVersion,
];
