import { fork } from 'node:child_process';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import { threadFile } from '../../kernel/thread.ts';
import type { FromTrial, TrialTask } from './wire.ts';

/** A child that tries, as its owner needs it. */
export interface TrialChild {
  readonly pid: number | undefined;
  /** Resolves when no process of it is left. */
  end(): Promise<void>;
}

export interface TrialEvents {
  message(message: FromTrial): void;
  /** Called exactly once. @param how for people */
  ended(how: string): void;
}

export type LaunchTrial = (task: TrialTask, events: TrialEvents) => TrialChild;

/** ms from being asked to end to being ended: it has an ffmpeg and a child of its own to put away. */
const PATIENCE = 3_000;
/** It needs no secret of ours. */
const ENVIRONMENT = ['PATH', 'LD_LIBRARY_PATH', 'LANG', 'TZ', 'QUANWEI_MODELS_DIR'];

/** Forks `trial-child`. */
export const forkTrial =
  (clock: Clock): LaunchTrial =>
  (task, events) => {
    const child = fork(threadFile(import.meta.url, 'trial-child'), [], {
      serialization: 'advanced',
      execArgv: ['--max-old-space-size=192', '--max-semi-space-size=2'],
      env: Object.fromEntries(ENVIRONMENT.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : []))),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    let over = false;
    const gone = new Promise<void>((resolve) => {
      const end = (how: string): void => {
        if (over) return;
        over = true;
        resolve();
        events.ended(how);
      };
      child.on('message', (message) => events.message(message as FromTrial));
      child.on('error', (thrown) => {
        if (child.pid === undefined) end(`it could not be started: ${messageOf(thrown)}`);
      });
      child.on('close', (code, signal) => end(signal === null ? `it ended with ${code}` : `it was ended by ${signal}`));
    });
    child.send(task, () => undefined);
    return {
      pid: child.pid,
      end: async () => {
        if (!over) child.kill('SIGTERM');
        const late = clock.after(PATIENCE, () => void child.kill('SIGKILL'));
        await gone;
        late.cancel();
      },
    };
  };
