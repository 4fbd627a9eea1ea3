import type { AlarmsConfig } from '../config/schema.ts';
import type { Category } from '../devices/event.ts';
import type { Journal } from '../journal/journal.ts';
import type { Level } from './alarm.ts';

/** Alarms looked at, the newest: counting shares its thread with fire alarms. */
const LOOKED_AT = 20_000;
/** Open for longer than this is stale (EEMUA 191), ms. */
const STALE_MS = 86_400_000;
/** At least three events a minute, three in all, is chattering. */
const CHATTERING = { events: 3, everyMs: 20_000 };
const TOP = 10;

export interface Percentiles {
  /** ms; `null` when nothing was measured */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly measured: number;
}

export interface LevelFigures {
  readonly level: Level;
  readonly alarms: number;
  /** From asking to the acknowledgement. */
  readonly acknowledge: Percentiles;
  /** From being raised to 销号. */
  readonly close: Percentiles;
  /** Closed within the level's time, of those closed or overdue, 0–1; `null` when there is none or no deadline. */
  readonly onTime: number | null;
  readonly escalated: number;
}

export interface DeviceFigures {
  readonly device: string;
  readonly name: string;
  readonly alarms: number;
  readonly events: number;
  readonly false: number;
  /** Of those closed, 0–1; `null` when none is. */
  readonly falseRate: number | null;
}

/** Without drills and without what was told late: neither says how well the compound is looked after. */
export interface Statistics {
  readonly from: number;
  readonly to: number;
  readonly alarms: number;
  /** There were more in this span; the figures are of the newest. */
  readonly truncated: boolean;
  readonly open: number;
  /** Open for more than 24 h now, whenever raised. */
  readonly stale: number;
  readonly levels: readonly LevelFigures[];
  readonly falseRate: number | null;
  readonly categories: readonly { category: Category; alarms: number; events: number }[];
  /** The ten devices with most alarms. */
  readonly top: readonly DeviceFigures[];
  /** The ten devices with the highest share of false alarms, of those with at least three closed. */
  readonly mostFalse: readonly DeviceFigures[];
  readonly chattering: readonly { device: string; name: string; category: Category; count: number }[];
  /** Most alarms in any ten minutes: ten or more are a flood (EEMUA 191). */
  readonly busiestTenMinutes: number;
}

const OF_SPAN = `WITH a AS MATERIALIZED (
  SELECT level, category, device, device_name, handling, count, raised_at, last_at, asked_at, acknowledged_at,
    closed_at, escalations
  FROM alarms WHERE raised_at >= ? AND raised_at < ? AND drill = 0 AND replayed = 0
  ORDER BY raised_at DESC LIMIT ${LOOKED_AT})`;

/** A percentile is the smallest value that at least that share of the values does not exceed. */
const PERCENTILES = (value: string, condition: string) => `${OF_SPAN},
  v AS (SELECT level, ${value} AS ms FROM a WHERE ${condition} AND ${value} >= 0),
  r AS (SELECT level, ms, row_number() OVER (PARTITION BY level ORDER BY ms) AS i,
    count(*) OVER (PARTITION BY level) AS measured FROM v)
  SELECT level, measured,
    min(ms) FILTER (WHERE i >= measured * 0.5) AS p50, min(ms) FILTER (WHERE i >= measured * 0.95) AS p95
  FROM r GROUP BY level`;

type PercentileRow = { level: Level; p50: number; p95: number; measured: number };

/**
 * @param span alarms raised in [from, to)
 * @param now by which those still open are on time or late, ms since the epoch
 */
export function statisticsOf(
  journal: Journal,
  levels: AlarmsConfig['levels'],
  { from, to }: { from: number; to: number },
  now: number,
): Statistics {
  const one = <T>(sql: string, ...params: unknown[]): T => journal.select<T>(sql, ...params)[0] as T;
  const all = <T>(sql: string, ...params: unknown[]): T[] =>
    journal.select<T>(`${OF_SPAN} ${sql}`, from, to, ...params);
  const totals = one<{ alarms: number; open: number | null; false: number | null; closed: number | null }>(
    `${OF_SPAN} SELECT count(*) AS alarms, sum(closed_at IS NULL) AS open, sum(handling = 'false') AS false,
      sum(handling IN ('closed', 'false')) AS closed FROM a`,
    from,
    to,
  );
  const acknowledge = journal.select<PercentileRow>(
    PERCENTILES('acknowledged_at - asked_at', 'acknowledged_at IS NOT NULL'),
    from,
    to,
  );
  const close = journal.select<PercentileRow>(PERCENTILES('closed_at - raised_at', "handling = 'closed'"), from, to);
  const devices = all<DeviceFigures & { closed: number }>(
    `SELECT device, max(device_name) AS name, count(*) AS alarms, sum(count) AS events, sum(handling = 'false') AS false,
      sum(handling IN ('closed', 'false')) AS closed FROM a WHERE device <> '' GROUP BY device ORDER BY alarms DESC`,
  ).map(({ closed, ...device }) => ({ closed, device: { ...device, falseRate: share(device.false, closed) } }));
  return {
    from,
    to,
    alarms: totals.alarms,
    truncated: totals.alarms >= LOOKED_AT,
    open: totals.open ?? 0,
    stale: one<{ stale: number }>(
      'SELECT count(*) AS stale FROM alarms WHERE live = 1 AND closed_at IS NULL AND drill = 0 AND raised_at < ?',
      now - STALE_MS,
    ).stale,
    levels: ([1, 2, 3, 4] as const).map((level) => ({
      level,
      ...one<{ alarms: number; escalated: number }>(
        `${OF_SPAN} SELECT count(*) AS alarms, coalesce(sum(escalations > 0), 0) AS escalated FROM a WHERE level = ?`,
        from,
        to,
        level,
      ),
      acknowledge: percentilesOf(acknowledge, level),
      close: percentilesOf(close, level),
      onTime: onTime(all, level, levels[level]?.close, now),
    })),
    falseRate: share(totals.false ?? 0, totals.closed ?? 0),
    categories: all<{ category: Category; alarms: number; events: number }>(
      'SELECT category, count(*) AS alarms, sum(count) AS events FROM a GROUP BY category ORDER BY alarms DESC, category',
    ),
    top: devices.slice(0, TOP).map(({ device }) => device),
    mostFalse: devices
      .filter(({ closed, device }) => closed >= 3 && device.false > 0)
      .sort((a, b) => (b.device.falseRate ?? 0) - (a.device.falseRate ?? 0))
      .slice(0, TOP)
      .map(({ device }) => device),
    chattering: all(
      `SELECT device, max(device_name) AS name, category, sum(count) AS count FROM a
       WHERE count >= ? AND (last_at - raised_at) <= ? * (count - 1) GROUP BY device, category
       ORDER BY sum(count) DESC LIMIT ${TOP}`,
      CHATTERING.events,
      CHATTERING.everyMs,
    ),
    busiestTenMinutes:
      all<{ most: number | null }>(
        `SELECT max(n) AS most FROM (SELECT count(*) OVER (ORDER BY raised_at RANGE BETWEEN 599999 PRECEDING AND CURRENT ROW)
         AS n FROM a)`,
      )[0]?.most ?? 0,
  };
}

const percentilesOf = (rows: readonly PercentileRow[], level: Level): Percentiles => {
  const row = rows.find((one) => one.level === level);
  return row === undefined
    ? { p50: null, p95: null, measured: 0 }
    : { p50: row.p50, p95: row.p95, measured: row.measured };
};

function onTime(
  all: <T>(sql: string, ...params: unknown[]) => T[],
  level: Level,
  within: number | undefined,
  now: number,
): number | null {
  if (within === undefined) return null;
  const [row] = all<{ kept: number | null; known: number }>(
    `SELECT sum(closed_at - raised_at <= ?) AS kept, count(*) AS known FROM a
     WHERE level = ? AND handling <> 'merged' AND (closed_at IS NOT NULL OR raised_at < ?)`,
    within,
    level,
    now - within,
  );
  return share(row?.kept ?? 0, row?.known ?? 0);
}

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
