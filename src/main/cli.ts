#!/usr/bin/env node
import '../kernel/memory.ts'; // first: from here on memory is bounded
import { Command, CommanderError } from 'commander';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { VERSION } from './version.ts';

/** What a command ends with. */
export const FINE = 0;
export const FOUND_SOMETHING = 1;
export const WRONG_USE = 2;

/** @param asked what the command line asks for: the gateway's start does not wait for what only others need */
async function commands(asked: string | undefined): Promise<readonly ((program: Command) => void)[]> {
  if (asked !== 'gateway' && asked !== 'up') return (await import('./commands/index.ts')).COMMANDS;
  const { addGateway, addUp } = await import('./commands/gateway.ts');
  return [addUp, addGateway];
}

function program(adds: readonly ((program: Command) => void)[]): Command {
  const quanwei = new Command('quanwei')
    .description('泉卫社区边缘网关 · edge gateway for residential compounds')
    .version(VERSION, '-V, --version', '版本 print the version')
    .helpOption('-h, --help', '帮助 show help')
    .helpCommand('help [command]', '帮助 show help of a command')
    .showHelpAfterError('(quanwei COMMAND --help)')
    .exitOverride();
  for (const add of adds) add(quanwei);
  return quanwei;
}

/** Runs one command line; the actions set `process.exitCode` themselves when they find something. */
async function run(argv: readonly string[]): Promise<number | undefined> {
  try {
    await program(await commands(argv[2])).parseAsync(argv);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? FINE : WRONG_USE;
    if (thrown instanceof QuanweiError) {
      process.stderr.write(`${thrown.code}: ${thrown.describe()}\n`);
      return thrown.code === 'BAD_USE' ? WRONG_USE : FOUND_SOMETHING;
    }
    process.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown)}\n`);
    return FOUND_SOMETHING;
  }
}

process.exitCode = (await run(process.argv)) ?? process.exitCode ?? FINE;
