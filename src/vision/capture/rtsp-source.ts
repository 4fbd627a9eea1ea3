import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import { redact, rtspInput } from './address.ts';
import type { Size } from './colour.ts';
import { watchArguments } from './command.ts';
import { Newest } from './delivery.ts';
import { developing, momentOf } from './developing.ts';
import { unlessEnded } from './ended.ts';
import { type Moment, type PlanePlan, PlaneReader, planeSizes } from './planes.ts';
import { probe, type StreamShape } from './probe.ts';
import { Program, type Spawn } from './program.ts';
import { reasonOf } from './reason.ts';
import type { Frame, FrameSource, SourceEvents } from './source.ts';
import { type Attempt, type Limits, Supervision } from './supervision.ts';

export interface RtspSourceOptions {
  /** The stream's address; asked for anew at each try, because a camera may have got another one. */
  readonly address: () => Promise<string>;
  readonly transport: 'tcp' | 'udp';
  /** Frames a second. */
  readonly fps: number;
  /** Largest width of `picture`. */
  readonly width: number;
  /** Size of `input`: the detector's. */
  readonly input: Size;
  /** When this stream is also the one that is recorded: MPEG-TS as it comes, `null` when it begins anew. */
  readonly copy?: (chunk: Uint8Array | null) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly limits?: Partial<Limits>;
  readonly spawn?: Spawn;
}

/** Where ffmpeg tells the size of the pictures that reach its filters: at the beginning, and when it changes. */
const SIZE = /input from stream \d+:\d+ @ \w+\] (?:\[verbose\] )?w:(\d+) h:(\d+) /;
const NO_FAULT = /\[(?:verbose|info|debug|warning)\]/;

/**
 * Frames of a camera, live: the newest one whenever the receiver is free. One ffmpeg decodes; it is looked at first what the
 * stream is, and again whenever it fails or its pictures change their size.
 */
export class RtspSource implements FrameSource {
  readonly #options: RtspSourceOptions;
  #gate: Newest<Frame> | null = null;
  /** Of the newest ffmpeg; memory of frames of one before serves it as well. */
  #reader: PlaneReader | null = null;
  #supervision: Supervision | null = null;
  #n = 0;

  constructor(options: RtspSourceOptions) {
    this.#options = options;
  }

  get shed(): number {
    return this.#gate?.shed ?? 0;
  }

  start(events: SourceEvents): void {
    const { clock, random, limits, log } = this.#options;
    this.#gate = new Newest(
      (frame) => events.frame(frame),
      (frame) => this.#reader?.giveBack(momentOf(frame)),
      log,
    );
    this.#supervision = new Supervision({
      ...{ clock, random, limits },
      begin: (alive) => this.#attempt(events, alive),
      down: (reason) => events.state({ state: 'offline', reason }),
    });
  }

  async stop(): Promise<void> {
    await this.#supervision?.stop();
  }

  #attempt(events: SourceEvents, alive: () => void): Attempt {
    const ending = new AbortController();
    const over = this.#watch(events, alive, ending.signal).catch((thrown: unknown) => redact(messageOf(thrown)));
    return { over, end: () => ending.abort() };
  }

  async #watch(events: SourceEvents, alive: () => void, ending: AbortSignal): Promise<string> {
    const { transport, fps, width, clock, spawn, copy } = this.#options;
    const input = rtspInput(await unlessEnded(this.#options.address(), ending), transport);
    const shape = await probe(input, { clock, spawn, signal: ending });
    if (ending.aborted) return 'stopped';
    alive();
    const plan = planeSizes(shape, width, this.#options.input);
    const args = watchArguments(input, plan, { fps, of: shape.fps, copy: copy !== undefined });
    let changed: string | null = null;
    const over = () => ending.aborted || changed !== null;
    const { reader, into } = await PlaneReader.open(plan, this.#receiver(events, plan, shape, alive, over), ending);
    this.#reader = reader;
    const program = new Program('ffmpeg', args, {
      ...{ clock, spawn, into, pipes: copy === undefined ? 0 : 1, stdin: input.stdin ?? '' },
      line: (line) => {
        const size = SIZE.exec(line);
        if (size !== null && (Number(size[1]) !== shape.width || Number(size[2]) !== shape.height)) {
          changed = 'the size of the picture changed';
          void program.end();
        }
        return NO_FAULT.test(line);
      },
    });
    if (copy !== undefined) {
      copy(null);
      program.pipes[0]?.on('data', copy);
    }
    const end = () => void program.end();
    if (ending.aborted) end();
    ending.addEventListener('abort', end, { once: true });
    const { said } = await program.gone;
    for (const pipe of program.pipes) pipe.destroy();
    reader.abandon();
    return changed ?? reasonOf(said);
  }

  #receiver(
    events: SourceEvents,
    plan: PlanePlan,
    shape: StreamShape,
    alive: () => void,
    over: () => boolean,
  ): (moment: Moment) => void {
    const { clock, fps } = this.#options;
    const develop = developing(plan, shape.matrix);
    const begun = clock.mono();
    let online = false;
    return (moment) => {
      if (over()) return;
      alive();
      if (!online) {
        online = true;
        this.#n = 0;
        const { width, height, codec } = shape;
        events.state({ state: 'online', width, height, fps: Math.min(fps, shape.fps), codec });
      }
      const mono = clock.mono();
      const times = { n: this.#n++, mono, wall: clock.wall(), t: (mono - begun) / 1_000 };
      this.#gate?.offer({ ...develop(moment), ...times });
    };
  }
}
