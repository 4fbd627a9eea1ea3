import type { Socket } from 'node:net';
import { QuanweiError } from '../../kernel/errors.ts';
import { type Letterbox, letterbox } from '../picture.ts';
import { i420Length, type Size } from './colour.ts';
import { type Filling, joinedSockets } from './joined-sockets.ts';

/** What every camera's grey plane measures, whatever its stream's shape: motion and picture health are tuned for it. */
export const GREY: Size = { width: 160, height: 90 };

/** Sizes of what ffmpeg gives for each moment. They stay as they are while a process lives. */
export interface PlanePlan {
  readonly picture: Size;
  readonly input: Size;
  /** Where the picture lies in `input`. */
  readonly place: Letterbox;
}

const even = (length: number): number => Math.max(2, 2 * Math.round(length / 2));

/** @param width the largest width of `picture` */
export function planeSizes(stream: Size, width: number, input: Size): PlanePlan {
  const scale = Math.min(1, width / stream.width);
  const picture = { width: even(stream.width * scale), height: even(stream.height * scale) };
  return { picture, input, place: letterbox(picture, input) };
}

/** The bytes of one moment, in the order of the pipes: picture and input without its padding (I420), grey. */
export type Moment = readonly [picture: Uint8Array, input: Uint8Array, grey: Uint8Array];

/** Whole planes of one pipe that may wait for those of the others; the kernel's buffers hold no more small ones. */
const AHEAD = 64;

/** Planes of one pipe that lie ready: one is filled, one waits, one is looked at. */
const SPARE = 3;

/** One pipe cut into planes, which are used again; bytes are read into what is handed over and never copied. */
class PlaneCutter implements Filling {
  readonly #length: number;
  readonly #spare: Uint8Array[] = [];
  readonly whole: Uint8Array[] = [];
  #plane: Uint8Array;
  #filled = 0;

  constructor(length: number) {
    this.#length = length;
    this.#plane = new Uint8Array(length);
  }

  room(): Uint8Array {
    return this.#plane.subarray(this.#filled);
  }

  filled(bytes: number): void {
    this.#filled += bytes;
    if (this.#filled < this.#length) return;
    this.whole.push(this.#plane);
    this.#plane = this.#spare.pop() ?? new Uint8Array(this.#length);
    this.#filled = 0;
  }

  giveBack(plane: Uint8Array): void {
    if (this.#spare.length < SPARE && plane.length === this.#length) this.#spare.push(plane);
  }
}

/**
 * Three pipes of one ffmpeg put together into moments. The frames are chosen before the filter graph splits, none is
 * dropped behind it, and pipes lose nothing: the n-th plane of each is of the n-th moment.
 */
export class PlaneReader {
  readonly #cutters: readonly PlaneCutter[];
  readonly #pipes: Socket[] = [];
  readonly #deliver: (moment: Moment) => void;
  readonly #released: (() => void)[] = [];
  #held = false;
  #abandoned = false;

  private constructor({ picture, place }: PlanePlan, deliver: (moment: Moment) => void) {
    const lengths = [i420Length(picture), i420Length(place), GREY.width * GREY.height];
    this.#cutters = lengths.map((length) => new PlaneCutter(length));
    this.#deliver = deliver;
  }

  /**
   * @returns the reader, and what ffmpeg is to write to: `into` of its `Program`
   * @throws Error of the system, as for any socket
   */
  static async open(
    plan: PlanePlan,
    deliver: (moment: Moment) => void,
    signal: AbortSignal,
  ): Promise<{ reader: PlaneReader; into: Socket[] }> {
    const reader = new PlaneReader(plan, deliver);
    const fillings = reader.#cutters.map((cutter) => ({
      room: () => cutter.room(),
      filled: (bytes: number) => {
        cutter.filled(bytes);
        reader.#flush();
      },
    }));
    const joined = await joinedSockets(fillings, signal);
    reader.#pipes.push(...joined.map(({ ours }) => ours));
    return { reader, into: joined.map(({ theirs }) => theirs) };
  }

  /** Nothing is read or delivered from now on; ffmpeg waits when the pipes are full. */
  hold(): void {
    this.#held = true;
    for (const pipe of this.#pipes) pipe.pause();
  }

  goOn(): void {
    if (!this.#held) return;
    this.#held = false;
    for (const pipe of this.#pipes) pipe.resume();
    this.#flush();
    if (!this.#held) for (const wake of this.#released.splice(0)) wake();
  }

  /** Whatever is still to come is not wanted any more. */
  abandon(): void {
    this.#abandoned = true;
    for (const pipe of this.#pipes) pipe.destroy();
    this.goOn();
  }

  /** Of a moment that nobody looks at any more: its memory is used again. */
  giveBack(moment: Moment): void {
    moment.forEach((plane, n) => {
      this.#cutters[n]?.giveBack(plane);
    });
  }

  /** Resolves when every pipe has come to its end and all moments are delivered. */
  async finished(): Promise<void> {
    const closed = (pipe: Socket) =>
      new Promise<void>((resolve) => (pipe.closed ? resolve() : pipe.once('close', resolve)));
    await Promise.all(this.#pipes.map(closed));
    while (this.#held) await new Promise<void>((resolve) => this.#released.push(resolve));
  }

  #flush(): void {
    const [picture, input, grey] = this.#cutters;
    if (picture === undefined || input === undefined || grey === undefined) return;
    while (!this.#held) {
      if (picture.whole.length === 0 || input.whole.length === 0 || grey.whole.length === 0) break;
      const moment = [picture, input, grey].map((cutter) => cutter.whole.shift() as Uint8Array);
      if (!this.#abandoned) this.#deliver(moment as unknown as Moment);
    }
    if (!this.#held && this.#cutters.some((cutter) => cutter.whole.length > AHEAD)) {
      throw new QuanweiError('INVARIANT', 'the planes of one camera do not come in step');
    }
  }
}
