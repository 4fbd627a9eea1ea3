import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Cancel, Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import { giveWay } from '../../kernel/priority.ts';

/** As `child_process.spawn`; tests put a program of their own in its place. */
export type Spawn = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;

/** How a program ended. */
export interface Ended {
  /** `null` when a signal ended it, or when it never started. */
  readonly code: number | null;
  /** The last lines it wrote to standard error, or why it could not be started. */
  readonly said: string;
}

/** Lines of standard error that are remembered. */
const REMEMBERED = 20;
/** Characters of one line. */
const LINE = 400;
/** ms from SIGTERM to SIGKILL */
const PATIENCE = 2_000;

export interface ProgramOptions {
  readonly clock: Clock;
  readonly spawn?: Spawn | undefined;
  /** Written to standard input, which is then closed; `open`: kept for the caller. Default: nothing to read. */
  readonly stdin?: string | 'open';
  /** What it writes to: standard output, then descriptors 3, 4, … Closed here once it has them. */
  readonly into?: readonly Socket[];
  /** Pipes it writes to, numbered on behind `into`. */
  readonly pipes: number;
  /** Every line of standard error, before it is remembered; `true`: not worth remembering. */
  readonly line?: (line: string) => boolean;
}

/**
 * One child process, ended for certain: SIGTERM, then SIGKILL, always reaped. When this process dies instead, the child's
 * pipes break and it ends at its next write; one that waits for a silent camera, at its own time limit.
 */
export class Program {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #said: string[] = [];
  readonly pipes: readonly Readable[];
  /** Resolves when the process is gone and reaped; what it wrote may still wait in the pipes. */
  readonly gone: Promise<Ended>;
  #ended = false;
  #killer: Cancel | null = null;

  constructor(command: string, args: readonly string[], options: ProgramOptions) {
    this.#clock = options.clock;
    const { into = [], pipes } = options;
    const [output = 'ignore', ...more] = [...into, ...Array.from({ length: pipes }, () => 'pipe' as const)];
    this.#child = (options.spawn ?? spawn)(command, args, {
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', output, 'pipe', ...more],
      windowsHide: true,
    });
    for (const end of into) end.destroy();
    const child = this.#child;
    // Decoding may wait, telling what was seen may not, and least of all the gateway.
    if (child.pid !== undefined) giveWay(child.pid);
    const streams = [child.stdio[1], ...child.stdio.slice(3)];
    this.pipes = streams.filter((stream): stream is Readable => stream instanceof Readable);
    for (const pipe of this.pipes) pipe.on('error', ignore);
    this.#listen(options.line ?? (() => false));
    if (child.stdin !== null && options.stdin !== undefined) {
      child.stdin.on('error', ignore); // EPIPE when it ends before it has read: `gone` tells why
      if (options.stdin !== 'open') child.stdin.end(options.stdin);
    }
    this.gone = new Promise((resolve) => {
      const end = (code: number | null, why?: string) => {
        this.#ended = true;
        this.#killer?.cancel();
        if (why !== undefined) this.#said.push(why);
        resolve({ code, said: this.#said.join('\n') });
      };
      child.once('error', (thrown) => {
        const missing = 'code' in thrown && thrown.code === 'ENOENT';
        if (child.pid === undefined) end(null, missing ? `${command} is not installed` : messageOf(thrown));
      });
      // What it said last is often read after its exit.
      child.once('exit', (code) => setImmediate(() => end(code)));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stdin(): ChildProcess['stdin'] {
    return this.#child.stdin;
  }

  /** Ends it; resolves when it is gone. */
  async end(): Promise<Ended> {
    if (!this.#ended && this.#killer === null) {
      this.#child.kill('SIGTERM');
      this.#killer = this.#clock.after(PATIENCE, () => void this.#child.kill('SIGKILL'));
    }
    for (const pipe of this.pipes) pipe.destroy();
    return this.gone;
  }

  #listen(forget: (line: string) => boolean): void {
    let rest = '';
    this.#child.stderr?.on('error', ignore);
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split(/[\r\n]+/);
      rest = (lines.pop() ?? '').slice(0, LINE);
      for (const line of lines) {
        if (line === '' || forget(line)) continue;
        this.#said.push(line.slice(0, LINE));
        if (this.#said.length > REMEMBERED) this.#said.shift();
      }
    });
  }
}

/** A broken pipe is told by the end of its program. */
function ignore(): void {
  // nothing to add
}
