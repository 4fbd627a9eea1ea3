import type { Change, Entry } from '../journal/entry.ts';
import type { Clock } from '../kernel/clock.ts';

/** A wall clock that ran this much more or less than monotonic time was stepped, ms. Less is the slewing of NTP. */
export const STEP_MS = 2_000;
/** Between two processes this much may have passed without anybody vouching for the clock, ms. */
const PLAUSIBLE_MS = 120_000;
/** While something is due, the reference is renewed this often: what is lost at most when nobody knows the time, ms. */
export const RENEW_MS = 60_000;

/** What the wall clock showed when the deadlines were last known to agree with it. */
export interface ClockReference {
  readonly boot: string;
  readonly wall: number;
  readonly mono: number;
  readonly synced: boolean;
  /** Newest journal entry at that time. */
  readonly seq: number;
}

interface Row {
  boot: string;
  wall: number;
  mono: number;
  synced: number;
  seq: number;
}

export const READ_REFERENCE = 'SELECT boot, wall, mono, synced, seq FROM deadline_clock';
const WRITE = `INSERT INTO deadline_clock VALUES (1, ?, ?, ?, ?, ?)
  ON CONFLICT (one) DO UPDATE SET boot = excluded.boot, wall = excluded.wall, mono = excluded.mono,
    synced = excluded.synced, seq = excluded.seq`;

export const referenceOf = (row: Row): ClockReference => ({ ...row, synced: row.synced === 1 });

export function referenceNow(clock: Clock, seq: number): ClockReference {
  return {
    boot: clock.boot,
    wall: Math.round(clock.wall()),
    mono: Math.round(clock.mono()),
    synced: clock.state() === 'synced',
    seq,
  };
}

export const referenceChange = ({ boot, wall, mono, synced, seq }: ClockReference): Change => ({
  sql: WRITE,
  params: [boot, wall, mono, synced ? 1 : 0, seq],
});

/** By how much the wall clock has been stepped since `from`, within one process; 0 when it was not. */
export function stepSince(from: Pick<ClockReference, 'wall' | 'mono'>, wall: number, mono: number): number {
  const drift = wall - mono - (from.wall - from.mono);
  return Math.abs(drift) > STEP_MS ? Math.round(drift) : 0;
}

/**
 * By how much deadlines must be moved when a new process takes them over. Time that has really passed counts: who did
 * not acknowledge before the restart is late after it. What is only the clock being wrong does not: between two
 * processes that is told by a clock that went back, or one that leapt ahead while nobody vouched for it.
 * @param saved the reference on disk
 * @param last newest journal entry: it may be younger than the reference, and of the same process
 */
export function stepWhileAway(
  saved: ClockReference,
  last: Pick<Entry, 'seq' | 'boot' | 'wall' | 'mono' | 'clock'> | null,
  now: ClockReference,
): number {
  const younger = last !== null && last.seq > saved.seq ? last : null;
  // A step that the process before us saw in its entries but had no time left to move the deadlines for.
  const missed = younger !== null && younger.boot === saved.boot ? stepSince(saved, younger.wall, younger.mono) : 0;
  const until = younger === null ? saved : { wall: younger.wall, synced: younger.clock === 'synced' };
  const away = now.wall - until.wall;
  const believable = away >= -STEP_MS && (away <= PLAUSIBLE_MS || (until.synced && now.synced));
  return missed + (believable ? 0 : away);
}
