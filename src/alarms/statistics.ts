import { setImmediate } from 'node:timers/promises';
import type { AlarmsConfig } from '../config/schema.ts';
import type { Journal } from '../journal/journal.ts';
import { type Counted, type Figures, Tally } from './tally.ts';

/** Alarms read at a time: counting shares its thread with fire alarms, which come in between. */
const CHUNK = 1_000;
/** Alarms looked at in all, the newest. At the 150 a day that people can cope with (EEMUA 191) that is 3½ years. */
const LOOKED_AT = 200_000;
/** Open for longer than this is stale (EEMUA 191), ms. */
const STALE_MS = 86_400_000;

/** Alarms raised in [from, to), ms since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Statistics extends Span, Figures {
  /** There were more in this span; the figures are of the newest. */
  readonly truncated: boolean;
  /** Open for more than 24 h now, whenever raised. */
  readonly stale: number;
}

export interface Trend {
  /** Oldest first. */
  readonly buckets: readonly (Span & Figures)[];
  /** There were more than are counted: the oldest buckets lack some or all of theirs. */
  readonly truncated: boolean;
}

interface Row extends Counted {
  n: number;
}

const NEXT = `SELECT n, level, category, device, device_name, handling, count, raised_at, last_at, answered_ms,
    closed_at, escalations
  FROM alarms WHERE (raised_at, n) < (?, ?) AND raised_at >= ? AND drill = 0 AND replayed = 0
  ORDER BY raised_at DESC, n DESC LIMIT ${CHUNK}`;
const STALE = `SELECT count(*) AS stale FROM alarms
  WHERE live = 1 AND closed_at IS NULL AND drill = 0 AND replayed = 0 AND raised_at < ?`;

/**
 * Counts a chunk at a time and lets whatever else has come go first in between.
 * @param now by which those still open are on time or late, ms since the epoch
 */
export async function statisticsOf(
  journal: Journal,
  levels: AlarmsConfig['levels'],
  span: Span,
  now: number,
): Promise<Statistics> {
  const tally = new Tally(levels, now);
  const truncated = await walk(journal, span, (row) => tally.add(row));
  const stale = journal.select<{ stale: number }>(STALE, now - STALE_MS)[0]?.stale ?? 0;
  return { from: span.from, to: span.to, truncated, stale, ...tally.figures() };
}

/**
 * The same for each of several spans; what is in memory is one of them at a time.
 * @param spans oldest first, each beginning where the one before it ends
 */
export async function trendOf(
  journal: Journal,
  levels: AlarmsConfig['levels'],
  spans: readonly Span[],
  now: number,
): Promise<Trend> {
  const left = [...spans];
  const buckets: (Span & Figures)[] = [];
  let span = left.pop();
  if (span === undefined) return { buckets, truncated: false };
  let tally = new Tally(levels, now);
  const whole = { from: spans[0]?.from ?? span.from, to: span.to };
  const truncated = await walk(journal, whole, (row) => {
    while (span !== undefined && row.raised_at < span.from) {
      buckets.push({ ...span, ...tally.figures() });
      tally = new Tally(levels, now);
      span = left.pop();
    }
    tally.add(row);
  });
  for (; span !== undefined; span = left.pop()) {
    buckets.push({ ...span, ...tally.figures() });
    tally = new Tally(levels, now);
  }
  return { buckets: buckets.reverse(), truncated };
}

/** Every alarm of a span, newest first. @returns whether there were more than are looked at */
async function walk(journal: Journal, { from, to }: Span, add: (row: Row) => void): Promise<boolean> {
  let [before, n, seen] = [to, 0, 0];
  let rows: Row[];
  do {
    rows = journal.select<Row>(NEXT, before, n, from);
    for (const row of rows) add(row);
    seen += rows.length;
    const last = rows.at(-1);
    if (last !== undefined) [before, n] = [last.raised_at, last.n];
    await setImmediate();
  } while (rows.length === CHUNK && seen < LOOKED_AT);
  return rows.length === CHUNK;
}
