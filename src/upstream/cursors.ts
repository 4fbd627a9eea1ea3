import type { Lane } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Dropped } from './dropped.ts';
import type { Lanes } from './lanes.ts';

/** Cursors are written this long after they moved: what is confirmed in between is sent again after a power cut, ms. */
const WRITE_AFTER_MS = 250;
/** What expired is told at most this often, ms. */
const TELL_DROPPED_MS = 10_000;
const LANES: readonly Lane[] = [0, 1, 2, 3];

const nameOf = (lane: Lane): string => `upstream.${lane}`;

export const storedCursors = (journal: Journal): [number, number, number, number] =>
  LANES.map((lane) => journal.cursor(nameOf(lane))) as [number, number, number, number];

/** Writes how far the lanes have come, a few times a second at most, and what they dropped. */
export class Cursors {
  readonly #journal: Journal;
  readonly #lanes: Lanes;
  readonly #clock: Clock;
  readonly #log: Log;
  #timer: Cancel | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: { journal: Journal; lanes: Lanes; clock: Clock; log: Log }) {
    this.#journal = parts.journal;
    this.#lanes = parts.lanes;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Something was confirmed or dropped. */
  touch(): void {
    this.#timer ??= this.#clock.after(WRITE_AFTER_MS, () => {
      this.#timer = null;
      this.#writing = this.write(false);
    });
  }

  /** Resolves when all is written that has moved so far. */
  async finish(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#writing;
    await this.write(true);
  }

  /** @param all also what was dropped a moment ago */
  async write(all: boolean): Promise<void> {
    const moved = this.#lanes.moved();
    // Handed over in one turn of the event loop, so they are one commit: a loss is told when the cursor passes it.
    const writes = moved.map(({ lane, seq }) => this.#journal.moveCursor(nameOf(lane), seq));
    const due = all || this.#clock.mono() - this.#toldAt >= TELL_DROPPED_MS;
    if (this.#lanes.hasDropped && due) {
      this.#toldAt = this.#clock.mono();
      writes.push(this.#tell(this.#lanes.dropped()));
    } else if (this.#lanes.hasDropped) this.touch();
    const failed = (await Promise.allSettled(writes)).find(({ status }) => status === 'rejected');
    if (failed === undefined) return;
    this.#log.warn(
      { err: (failed as PromiseRejectedResult).reason },
      'how far the centre was told could not be written',
    );
    this.#lanes.notMoved(moved.map(({ lane }) => lane));
    this.touch();
  }

  async #tell(dropped: readonly Dropped[]): Promise<void> {
    await this.#journal.append(
      dropped.map((body) => ({
        kind: 'system.dropped' as const,
        actor: 'system',
        subject: null,
        lane: 3 as const,
        body: { what: 'records too old to be sent to the centre', ...body },
      })),
    );
  }
}
