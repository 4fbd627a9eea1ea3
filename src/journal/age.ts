import type { Clock } from '../kernel/clock.ts';
import type { Journal } from './journal.ts';

/** Before this the program did not exist: a clock that says so has lost its battery. */
const EARLIEST = Date.UTC(2026, 0, 1);
/** Rows looked at in one step. */
export const STEP = 1_000;
/** How many steps of entries with an impossible time are looked past. */
const LOOK_AHEAD = 50;

/**
 * Up to which entry everything is older than `cutoff`, as far as one step after `after` shows. Order of `seq` is order
 * of commit, so an entry is at least as old as any later one: an entry whose own time cannot be (a clock of 1970, one
 * of 2099) is neither kept for ever nor thrown away at once; its neighbours decide.
 * @returns a seq, or `null` when nothing after `after` is old enough
 */
export function oldUpTo(journal: Journal, after: number, cutoff: number, now: number): number | null {
  let from = after;
  for (let step = 0; step < LOOK_AHEAD; step += 1) {
    const rows = journal.select<{ seq: number; wall: number }>(
      'SELECT seq, wall FROM entries WHERE seq > ? ORDER BY seq LIMIT ?',
      from,
      STEP,
    );
    const possible = rows.filter(({ wall }) => wall >= EARLIEST && wall <= now);
    const old = possible.findLast(({ wall }) => wall <= cutoff);
    if (old !== undefined) return old.seq;
    if (possible.length > 0 || rows.length < STEP) return null;
    from = rows.at(-1)?.seq ?? from;
  }
  return null;
}

/** The newest time among the last entries that can be; `null` when none can. */
export function newestTime(journal: Journal, now: number): number | null {
  const [row] = journal.select<{ wall: number | null }>(
    `SELECT max(wall) AS wall FROM (SELECT wall FROM entries ORDER BY seq DESC LIMIT ?) WHERE wall BETWEEN ? AND ?`,
    STEP,
    EARLIEST,
    now,
  );
  return row?.wall ?? null;
}

/** A box that was off this long starts with a leap, ms. */
const OFF_MS = 60 * 86_400_000;
/** The wall clock gaining more than this on the monotonic one between two looks is a leap, ms. */
const LEAP_MS = 86_400_000;
/** A clock that has leapt must hold for this long, ms. */
const SETTLE_MS = 86_400_000;

/** Whether records may go by the clock now: a wrong time server must not empty the journal before somebody notices. */
export class ClockTrust {
  readonly #clock: Clock;
  #last: { wall: number; mono: number };
  /** Monotonic time of the leap that has not settled yet. */
  #leapAt: number | null;

  /** @param newest the time of the newest record; `null` when there is none to compare with */
  constructor(clock: Clock, newest: number | null) {
    this.#clock = clock;
    this.#last = { wall: clock.wall(), mono: clock.mono() };
    this.#leapAt = newest !== null && this.#last.wall - newest > OFF_MS ? this.#last.mono : null;
  }

  holds(): boolean {
    const now = { wall: this.#clock.wall(), mono: this.#clock.mono() };
    const gained = now.wall - this.#last.wall - (now.mono - this.#last.mono);
    this.#last = now;
    if (gained > LEAP_MS) this.#leapAt = now.mono;
    else if (gained < -LEAP_MS || (this.#leapAt !== null && now.mono - this.#leapAt >= SETTLE_MS)) this.#leapAt = null;
    return this.#leapAt === null && now.wall >= EARLIEST;
  }
}
