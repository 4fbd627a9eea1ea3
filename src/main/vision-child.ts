import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Backoff } from '../kernel/backoff.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';

const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));
/** It lived this long: it is not one that dies at once, ms. */
const STABLE_MS = 60_000;
const PATIENCE_MS = 10_000;

export interface KeptVision {
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * `quanwei vision` as a child of somebody at a terminal: started again when it dies, with patience.
 * @param output what it says: to our own output, or nowhere, where that is for people
 */
export function keepVision(
  args: readonly string[],
  clock: Clock,
  log: Log,
  output: 'inherit' | 'ignore' = 'inherit',
): KeptVision {
  const backoff = new Backoff({ min: 1_000, max: 60_000, random: Math.random });
  let child: ChildProcess | null = null;
  let again: Cancel | null = null;
  let stopped = false;
  const start = (): void => {
    const begun = clock.mono();
    const started = spawn(process.execPath, [CLI, 'vision', ...args], {
      env: { ...process.env, QUANWEI_LOG: process.env['QUANWEI_LOG'] ?? 'warn' },
      // In a group of its own: a Ctrl-C is for us, and we tell it.
      detached: true,
      // The channel says nothing: that it breaks tells the child that we are gone, however we went.
      stdio: ['ignore', output, output, 'ipc'],
    });
    child = started;
    started.once('error', (thrown) => log.error({ why: messageOf(thrown) }, 'the vision process cannot be started'));
    started.once('exit', (code, signal) => {
      child = null;
      if (stopped || code === 0) return;
      if (clock.mono() - begun > STABLE_MS) backoff.reset();
      const wait = Math.round(backoff.next());
      log.error({ code, signal, againInMs: wait }, 'the vision process died; the gateway goes on');
      again = clock.after(wait, start);
    });
  };
  start();
  return {
    stop: async () => {
      stopped = true;
      again?.cancel();
      const last = child;
      if (last === null || last.exitCode !== null || last.signalCode !== null) return;
      const gone = once(last, 'exit');
      last.kill('SIGTERM');
      const patience = setTimeout(() => void last.kill('SIGKILL'), PATIENCE_MS);
      await gone;
      clearTimeout(patience);
    },
  };
}
