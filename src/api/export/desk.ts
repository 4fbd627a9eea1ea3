import type { Readable } from 'node:stream';
import type { Cancel, Clock } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';

/** Exports at a time: each reads and writes beside the alarms. */
const AT_ONCE = 2;
/** Who takes nothing for so long is gone, or keeps others out, ms. */
const STALLED_MS = 60_000;
const LOOK_MS = 15_000;

/** Exports that are under way. */
export class ExportDesk {
  readonly #clock: Clock;
  readonly #under = new Set<{ moved: number; stream: Readable | null }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get busy(): number {
    return this.#under.size;
  }

  /**
   * Takes a place before anything is read.
   * @returns `moved` is called for every page, `carry` once with what is sent: the place is free when that ends
   * @throws QuanweiError TOO_MANY
   */
  enter(): { moved(): void; carry(stream: Readable): Readable; leave(): void } {
    if (this.#under.size >= AT_ONCE) {
      throw new QuanweiError('TOO_MANY', '正在导出，请稍候再试 · exports are under way; try again in a moment');
    }
    const mine: { moved: number; stream: Readable | null } = { moved: this.#clock.mono(), stream: null };
    this.#under.add(mine);
    let watch: Cancel | null = null;
    const leave = () => {
      watch?.cancel();
      this.#under.delete(mine);
    };
    return {
      moved: () => {
        mine.moved = this.#clock.mono();
      },
      carry: (stream) => {
        mine.stream = stream;
        watch = this.#clock.every(LOOK_MS, () => {
          if (this.#clock.mono() - mine.moved >= STALLED_MS) stream.destroy();
        });
        stream.once('close', leave);
        return stream;
      },
      leave,
    };
  }

  /** The server stops. */
  close(): void {
    for (const { stream } of [...this.#under]) stream?.destroy();
  }
}
