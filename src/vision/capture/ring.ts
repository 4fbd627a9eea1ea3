import type { Clock, MonoMs } from '../../kernel/clock.ts';
import { TransportCutter } from './transport-stream.ts';

/** Pictures that follow from one key frame, and when each arrived. */
interface Group {
  readonly begun: MonoMs;
  readonly pieces: { readonly at: MonoMs; readonly bytes: Uint8Array[] }[];
  bytes: number;
}

/** A part of the stream that can be decoded from its beginning. */
export interface Cut {
  readonly codec: 'h264' | 'hevc' | 'other';
  /** When its first and its last picture arrived. */
  readonly from: MonoMs;
  readonly to: MonoMs;
  readonly pictures: number;
  readonly bytes: readonly Uint8Array[];
}

export interface RingOptions {
  readonly clock: Clock;
  /** ms that are always there, and a group of pictures more. */
  readonly keep: number;
  /** Bytes it never exceeds, whatever is asked of it: a clip begins later then. */
  readonly limit: number;
}

/** The last seconds of a stream as it came, in memory, to be cut at key frames. */
export class Ring {
  readonly #options: RingOptions;
  #cutter: TransportCutter;
  #groups: Group[] = [];
  #bytes = 0;
  readonly #held = new Set<{ from: MonoMs }>();
  readonly #waiting = new Set<() => void>();
  readonly #followers = new Set<(bytes: Uint8Array | null) => void>();

  constructor(options: RingOptions) {
    this.#options = options;
    this.#cutter = this.#newCutter();
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** MPEG-TS as it comes; `null`: the stream begins anew, what comes does not continue what was. */
  readonly push = (chunk: Uint8Array | null): void => {
    if (chunk === null) {
      this.#cutter = this.#newCutter();
      this.#groups = [];
      this.#bytes = 0;
    } else this.#cutter.push(chunk);
    for (const follow of this.#followers) follow(chunk);
    for (const wake of this.#waiting) wake();
  };

  /** What is there of [from, to], from the key frame before it. @returns `null` when there is nothing */
  cut(from: MonoMs, to: MonoMs): Cut | null {
    const after = this.#groups.findIndex(({ begun }) => begun > from);
    const first = Math.max(0, (after < 0 ? this.#groups.length : after) - 1);
    const pieces = this.#groups.slice(first).flatMap((group) => group.pieces.filter(({ at }) => at <= to));
    const [begin, end] = [pieces[0], pieces.at(-1)];
    if (begin === undefined || end === undefined) return null;
    const bytes = [this.#cutter.tables, ...pieces.flatMap((piece) => piece.bytes)];
    return { codec: this.#codec(), from: begin.at, to: end.at, pictures: pieces.length, bytes };
  }

  /**
   * The same when `to` has come; what is wanted is kept until then. A stream that has ended is waited for no longer than
   * `patience` ms.
   */
  async clip(from: MonoMs, to: MonoMs, patience = 2_000): Promise<Cut | null> {
    const { clock } = this.#options;
    const hold = { from };
    this.#held.add(hold);
    try {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#waiting.delete(look);
          timer.cancel();
          resolve();
        };
        const look = () => {
          if ((this.#groups.at(-1)?.pieces.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= to) done();
        };
        const timer = clock.after(Math.max(0, to - clock.mono()) + patience, done);
        this.#waiting.add(look);
        look();
      });
      return this.cut(from, to);
    } finally {
      this.#held.delete(hold);
    }
  }

  /**
   * Everything from the last key frame on, and on. `null`: it begins anew.
   * @returns stops it
   */
  follow(take: (bytes: Uint8Array | null) => void): () => void {
    const last = this.#groups.at(-1);
    if (last !== undefined) {
      take(this.#cutter.tables);
      for (const piece of last.pieces) for (const bytes of piece.bytes) take(bytes);
    }
    this.#followers.add(take);
    return () => void this.#followers.delete(take);
  }

  #newCutter(): TransportCutter {
    return new TransportCutter(({ key, bytes }, first) => {
      const at = this.#options.clock.mono();
      if (first && key) this.#groups.push({ begun: at, pieces: [], bytes: 0 });
      const group = this.#groups.at(-1);
      if (group === undefined) return; // before the first key frame: nothing that can be decoded
      if (first) group.pieces.push({ at, bytes: [bytes] });
      else group.pieces.at(-1)?.bytes.push(bytes);
      group.bytes += bytes.length;
      this.#bytes += bytes.length;
      this.#trim(at);
    });
  }

  #trim(now: MonoMs): void {
    const { keep, limit } = this.#options;
    let wanted = now - keep;
    for (const { from } of this.#held) wanted = Math.min(wanted, from);
    for (;;) {
      const [oldest, next] = this.#groups;
      if (oldest === undefined) return;
      // The group that is being filled goes as well when it alone is too large: a stream without key frames.
      const useless = next !== undefined && next.begun <= wanted;
      if (!useless && this.#bytes <= limit) return;
      this.#bytes -= oldest.bytes;
      this.#groups.shift();
    }
  }

  #codec(): Cut['codec'] {
    const { streamType } = this.#cutter;
    return streamType === 0x1b ? 'h264' : streamType === 0x24 ? 'hevc' : 'other';
  }
}
