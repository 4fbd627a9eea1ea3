import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import { redact, rtspInput } from './address.ts';
import { copyArguments } from './command.ts';
import { unlessEnded } from './ended.ts';
import { Program, type Spawn } from './program.ts';
import { reasonOf } from './reason.ts';
import { type Attempt, type Limits, Supervision } from './supervision.ts';

export interface RecorderOptions {
  readonly address: () => Promise<string>;
  readonly transport: 'tcp' | 'udp';
  /** MPEG-TS as it comes, `null` when it begins anew: a ring. */
  readonly copy: (chunk: Uint8Array | null) => void;
  /** Told when a try has ended, and with `null` when there is a stream again. */
  readonly trouble?: (reason: string | null) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly limits?: Partial<Limits>;
  readonly spawn?: Spawn;
}

/** A camera's main stream into a ring, as it comes: nothing is decoded. Kept up like a source of frames. */
export class Recorder {
  readonly #supervision: Supervision;

  constructor(options: RecorderOptions) {
    const { clock, random, limits, trouble } = options;
    this.#supervision = new Supervision({
      ...{ clock, random, limits },
      begin: (alive) => attempt(options, alive),
      down: (reason) => trouble?.(reason),
    });
  }

  stop(): Promise<void> {
    return this.#supervision.stop();
  }
}

function attempt(options: RecorderOptions, alive: () => void): Attempt {
  const ending = new AbortController();
  const over = record(options, alive, ending.signal).catch((thrown: unknown) => redact(messageOf(thrown)));
  return { over, end: () => ending.abort() };
}

async function record(options: RecorderOptions, alive: () => void, ending: AbortSignal): Promise<string> {
  const { transport, clock, spawn, copy, trouble } = options;
  const input = rtspInput(await unlessEnded(options.address(), ending), transport);
  if (ending.aborted) return 'stopped';
  const program = new Program('ffmpeg', copyArguments(input), { clock, spawn, pipes: 1, stdin: input.stdin ?? '' });
  copy(null);
  let begun = false;
  program.pipes[0]?.on('data', (chunk: Uint8Array) => {
    if (ending.aborted) return;
    alive();
    copy(chunk);
    if (!begun) trouble?.(null);
    begun = true;
  });
  const end = () => void program.end();
  ending.addEventListener('abort', end, { once: true });
  const { said } = await program.gone;
  for (const pipe of program.pipes) pipe.destroy();
  return reasonOf(said);
}
