import { fork } from 'node:child_process';
import { messageOf } from '../../kernel/errors.ts';
import { threadFile } from '../../kernel/thread.ts';
import type { FromChild, ToChild } from './wire.ts';

/** A running child, as its owner needs it. */
export interface Child {
  readonly pid: number | undefined;
  /** What cannot be sent any more is lost; `ended` tells why. */
  send(message: ToChild): void;
  /** At once and whatever it is doing: SIGKILL also ends what is stopped or stuck in native code. */
  kill(): void;
}

export interface ChildEvents {
  message(message: FromChild): void;
  /** Called exactly once. @param how for people */
  ended(how: string): void;
}

export type Launch = (events: ChildEvents) => Child;

/** Of what it writes to standard error the end is kept: there the runtime says why it fell over. */
const TAIL = 600;
/** Pictures lie outside of JavaScript's heap; what is inside is little, and a leak shall end the child, not the box. */
const ARGUMENTS = ['--max-old-space-size=128', '--max-semi-space-size=2'];
/** It needs no secret of ours. */
const ENVIRONMENT = ['PATH', 'LD_LIBRARY_PATH', 'LANG', 'TZ'];

/** Forks `infer-child`. */
export const forkChild: Launch = (events) => {
  const child = fork(threadFile(import.meta.url, 'infer-child'), [], {
    serialization: 'advanced',
    execArgv: ARGUMENTS,
    env: Object.fromEntries(ENVIRONMENT.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : []))),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let tail = '';
  let over = false;
  const end = (how: string): void => {
    if (over) return;
    over = true;
    events.ended(tail.trim() === '' ? how : `${how}: ${tail.trim()}`);
  };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-TAIL);
  });
  child.on('message', (message) => events.message(message as FromChild));
  child.on('error', (thrown) => {
    // Where the process runs, a channel that broke is followed by its end, which says more.
    if (child.pid === undefined) end(`it could not be started: ${messageOf(thrown)}`);
  });
  // Not `exit`: what it still said shall be heard first.
  child.on('close', (code, signal) => end(signal === null ? `it ended with ${code}` : `it was ended by ${signal}`));
  return {
    pid: child.pid,
    send: (message) => void child.send(message, () => undefined),
    kill: () => void child.kill('SIGKILL'),
  };
};
