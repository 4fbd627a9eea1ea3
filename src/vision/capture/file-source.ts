import { type Clock, monoMs, wallMs } from '../../kernel/clock.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import { fileInput, redact } from './address.ts';
import type { Size } from './colour.ts';
import { type Choice, footageArguments } from './command.ts';
import { Newest } from './delivery.ts';
import { developing, momentOf } from './developing.ts';
import { type Moment, PlaneReader, planeSizes } from './planes.ts';
import { probe, type StreamShape } from './probe.ts';
import { Program, type Spawn } from './program.ts';
import { reasonOf } from './reason.ts';
import type { Frame, FrameSource, SourceEvents } from './source.ts';

export interface FileSourceOptions {
  readonly path: string;
  /**
   * `{ fps: 5 }`: so many a second of the footage's own time. `{ every: 1 }`: every frame as it is in the file; frame `n`
   * of the source is frame `n * every` of the file, and `t` supposes a constant rate.
   */
  readonly choice: Choice;
  /**
   * `full`: as fast as the receiver takes them, none is ever shed; times are places in the footage. `native`, `loop`: as a
   * camera sends, once or for ever; times are those of arrival.
   */
  readonly pace: 'full' | 'native' | 'loop';
  /** Largest width of `picture`. */
  readonly width: number;
  /** Size of `input`: the detector's. */
  readonly input: Size;
  readonly clock: Clock;
  readonly log: Log;
  readonly spawn?: Spawn;
}

/** Frames of a video file. It is not tried again: a file that cannot be read is offline with the reason, for good. */
export class FileSource implements FrameSource {
  readonly #options: FileSourceOptions;
  readonly #stop = new AbortController();
  #run: Promise<void> = Promise.resolve();
  #abandon: (() => void) | null = null;
  #gate: Newest<Frame> | null = null;

  constructor(options: FileSourceOptions) {
    this.#options = options;
  }

  get shed(): number {
    return this.#gate?.shed ?? 0;
  }

  start(events: SourceEvents): void {
    this.#run = this.#play(events).catch((thrown: unknown) => {
      if (this.#stop.signal.aborted) return;
      events.state({ state: 'offline', reason: redact(messageOf(thrown)) });
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#abandon?.();
    await this.#run;
  }

  async #play(events: SourceEvents): Promise<void> {
    const { path, choice, pace, width, input: detector, clock, spawn } = this.#options;
    const input = fileInput(path);
    const shape = await probe(input, { clock, spawn, signal: this.#stop.signal });
    if (this.#stop.signal.aborted) return;
    const plan = planeSizes(shape, width, detector);
    const begun = { mono: clock.mono(), wall: clock.wall() };
    const failure: { thrown?: unknown } = {};
    const fail = (thrown: unknown) => {
      failure.thrown = thrown;
      this.#abandon?.();
    };
    let n = 0;
    const develop = developing(plan, shape.matrix);
    const frameOf = (moment: Moment): Frame => {
      if (n === 0) events.state({ state: 'online', ...aboutOf(shape), fps: rateOf(choice, shape) });
      const t = n / rateOf(choice, shape);
      const times =
        pace === 'full'
          ? { mono: monoMs(begun.mono + t * 1_000), wall: wallMs(begun.wall + t * 1_000) }
          : { mono: clock.mono(), wall: clock.wall() };
      return { ...develop(moment), n: n++, t, ...times };
    };
    const receive = (moment: Moment): void => {
      if (pace !== 'full') {
        this.#gate?.offer(frameOf(moment));
        return;
      }
      let done: void | Promise<void>;
      try {
        done = events.frame(frameOf(moment));
        if (!(done instanceof Promise)) {
          reader.giveBack(moment);
          return;
        }
      } catch (thrown) {
        fail(thrown);
        return;
      }
      reader.hold();
      done.then(() => {
        reader.giveBack(moment);
        reader.goOn();
      }, fail);
    };
    const { reader, into } = await PlaneReader.open(plan, receive, this.#stop.signal);
    const args = footageArguments(input, plan, choice, pace);
    const program = new Program('ffmpeg', args, { clock, spawn, into, pipes: 0 });
    this.#abandon = () => {
      reader.abandon();
      void program.end();
    };
    if (this.#stop.signal.aborted) this.#abandon();
    this.#gate = new Newest(
      (frame) => events.frame(frame),
      (frame) => reader.giveBack(momentOf(frame)),
      this.#options.log,
    );
    const [{ code, said }] = await Promise.all([program.gone, reader.finished()]);
    if (this.#stop.signal.aborted) return;
    if (failure.thrown !== undefined) throw failure.thrown;
    if (code !== 0) throw new QuanweiError('CAMERA_UNAVAILABLE', reasonOf(said));
    events.state({ state: 'ended' });
  }
}

const aboutOf = ({ width, height, codec, seconds }: StreamShape) => ({
  ...{ width, height, codec },
  ...(seconds === undefined ? {} : { seconds }),
});

const rateOf = (choice: Choice, { fps }: StreamShape): number => ('fps' in choice ? choice.fps : fps / choice.every);
