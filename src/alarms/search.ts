import { CATEGORIES, type Category } from '../devices/event.ts';
import { uuidBytes, uuidText } from '../journal/chain.ts';
import type { Journal } from '../journal/journal.ts';
import type { Alarm, Handling, Level } from './alarm.ts';
import { type AlarmRow, alarmOf } from './alarm-rows.ts';

/** All that are given must hold. */
export interface AlarmFilter {
  readonly handling?: readonly Handling[] | undefined;
  readonly level?: readonly Level[] | undefined;
  /** A category, or a family such as `intrusion.*`. */
  readonly category?: string | undefined;
  readonly device?: string | undefined;
  /** Beginning of the place. */
  readonly place?: string | undefined;
  /** Anywhere in the names, the place, what the device or people told, the result, who has it. */
  readonly text?: string | undefined;
  /** Raised at or after, ms since the epoch. */
  readonly from?: number | undefined;
  /** Raised before, ms since the epoch. */
  readonly to?: number | undefined;
  readonly drill?: boolean | undefined;
  /** How it came in: `device`, `camera`, `phone` … */
  readonly channel?: string | undefined;
  /** Who acknowledged, handled or closed it, or has it. */
  readonly person?: string | undefined;
  readonly limit: number;
  /** `next` of the page before, or the id of an alarm: only older ones. */
  readonly before?: string | undefined;
}

export interface Page {
  /** Newest first. */
  readonly alarms: Alarm[];
  /** Where to go on, also when this page is short or empty; `null`: that was all. */
  readonly next: string | null;
}

/** Rows looked at for one page: the search shares its thread with fire alarms and must not keep them waiting. */
const LOOKED_AT = 5_000;
const LARGEST_PAGE = 500;

type Value = string | number | Buffer;
interface Condition {
  readonly sql: string;
  readonly params: readonly Value[];
}

/**
 * Searches by whichever condition leaves least to look at. What is still too much is walked through newest first, a
 * bounded stretch for each page.
 */
export function searchPage(journal: Journal, filter: AlarmFilter): Page {
  const limit = Math.max(1, Math.min(filter.limit, LARGEST_PAGE));
  const narrowing = narrowingOf(filter);
  const rest = restOf(filter);
  const where = joined([...narrowing, ...rest]);
  const start = startOf(journal, filter.before);
  if (start === null) return { alarms: [], next: null };
  const few = narrowing.find((one) => countUpTo(journal, one) <= LOOKED_AT);
  if (few !== undefined) {
    // '+' keeps the planner from walking all rows in order instead of sorting the few.
    const rows = journal.select<AlarmRow>(
      `SELECT * FROM alarms WHERE ${where.sql} AND +n < ? ORDER BY +n DESC LIMIT ?`,
      ...where.params,
      start,
      limit + 1,
    );
    const alarms = rows.slice(0, limit).map(alarmOf);
    return { alarms, next: rows.length > limit ? (alarms.at(-1)?.id ?? null) : null };
  }
  const through = (first: number): AlarmRow[] =>
    journal.select<AlarmRow>(
      `SELECT * FROM alarms NOT INDEXED WHERE n < ? AND n >= ? AND ${where.sql} ORDER BY n DESC LIMIT ?`,
      start,
      first,
      ...where.params,
      limit + 1,
    );
  // Where most rows fit, a page is full long before its stretch ends, and where that is need not be known.
  const near = through((filter.before === undefined ? newestRow(journal) : start) - LOOKED_AT);
  if (near.length > limit) {
    const alarms = near.slice(0, limit).map(alarmOf);
    return { alarms, next: alarms.at(-1)?.id ?? null };
  }
  const stretch = journal.select<{ n: number; id: Buffer }>(
    'SELECT n, id FROM alarms WHERE n < ? ORDER BY n DESC LIMIT 1 OFFSET ?',
    start,
    LOOKED_AT - 1,
  )[0];
  const rows = through(stretch?.n ?? 0);
  const alarms = rows.slice(0, limit).map(alarmOf);
  if (rows.length > limit) return { alarms, next: alarms.at(-1)?.id ?? null };
  return { alarms, next: stretch === undefined ? null : uuidText(stretch.id) };
}

/**
 * How many there are in all, whatever the page.
 * @returns `null` when that would take looking at more rows than a page may
 */
export function countFound(journal: Journal, filter: Omit<AlarmFilter, 'limit' | 'before'>): number | null {
  const narrowing = narrowingOf(filter);
  const rest = restOf(filter);
  const only = narrowing[0];
  // One condition, or none, is counted in its index alone: a hundred thousand in about a millisecond.
  if (rest.length === 0 && narrowing.length <= 1) return countWhere(journal, only ?? joined([]));
  const few = narrowing.find((one) => countUpTo(journal, one) <= LOOKED_AT);
  if (few === undefined) return null;
  const where = joined([...narrowing, ...rest]);
  return countWhere(journal, {
    sql: `n IN (SELECT n FROM alarms WHERE ${few.sql}) AND ${where.sql}`,
    params: [...few.params, ...where.params],
  });
}

const countWhere = (journal: Journal, { sql, params }: Condition): number =>
  journal.select<{ rows: number }>(`SELECT count(*) AS rows FROM alarms WHERE ${sql}`, ...params)[0]?.rows ?? 0;

const newestRow = (journal: Journal): number =>
  journal.select<{ n: number | null }>('SELECT max(n) AS n FROM alarms')[0]?.n ?? 0;

/** `n` below which to look; `null` when there is no such alarm. */
function startOf(journal: Journal, before: string | undefined): number | null {
  if (before === undefined) return Number.MAX_SAFE_INTEGER;
  return journal.select<{ n: number }>('SELECT n FROM alarms WHERE id = ?', uuidBytes(before))[0]?.n ?? null;
}

function countUpTo(journal: Journal, { sql, params }: Condition): number {
  const row = journal.select<{ rows: number }>(
    `SELECT count(*) AS rows FROM (SELECT 1 FROM alarms WHERE ${sql} LIMIT ?)`,
    ...params,
    LOOKED_AT + 1,
  )[0];
  return row?.rows ?? 0;
}

/** Conditions an index answers, those that usually leave least first. */
function narrowingOf(filter: Omit<AlarmFilter, 'limit'>): Condition[] {
  const { device, category, place, level, handling, from, to } = filter;
  const conditions: Condition[] = [];
  if (handling?.every((one) => !['closed', 'merged', 'false'].includes(one))) {
    conditions.push({ sql: 'live = 1', params: [] });
  }
  if (device !== undefined) conditions.push({ sql: 'device = ?', params: [device] });
  if (category !== undefined) conditions.push(anyOf('category', categoriesOf(category)));
  if (place !== undefined && place !== '') {
    conditions.push({ sql: 'place >= ? AND place < ?', params: [place, `${place}\u{10ffff}`] });
  }
  if (level !== undefined) conditions.push(anyOf('level', level));
  if (from !== undefined || to !== undefined) {
    conditions.push({
      sql: 'raised_at >= ? AND raised_at < ?',
      params: [from ?? Number.MIN_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER],
    });
  }
  return conditions;
}

function restOf(filter: Omit<AlarmFilter, 'limit'>): Condition[] {
  const { handling, drill, text, channel, person } = filter;
  const conditions: Condition[] = [];
  if (handling !== undefined) conditions.push(anyOf('handling', handling));
  if (channel !== undefined) conditions.push({ sql: 'channel = ?', params: [channel] });
  if (person !== undefined) {
    const columns = ['acknowledged_by', 'handled_by', 'closed_by', 'assignee'];
    conditions.push({
      sql: columns.map((column) => `${column} = ?`).join(' OR '),
      params: columns.map(() => person),
    });
  }
  if (drill !== undefined) conditions.push({ sql: 'drill = ?', params: [drill ? 1 : 0] });
  if (text !== undefined && text.trim() !== '') {
    const like = `%${text.trim().replaceAll(/[\\%_]/g, '\\$&')}%`;
    const columns = ['device', 'device_name', 'place', 'detail', "coalesce(result, '')", "coalesce(assignee, '')"];
    conditions.push({
      sql: `(${columns.map((column) => `${column} LIKE ? ESCAPE '\\'`).join(' OR ')})`,
      params: columns.map(() => like),
    });
  }
  return conditions;
}

function categoriesOf(category: string): Category[] {
  const family = category.endsWith('.*') ? category.slice(0, -1) : null;
  return (Object.keys(CATEGORIES) as Category[]).filter((one) =>
    family === null ? one === category : one.startsWith(family),
  );
}

const anyOf = (column: string, values: readonly (string | number)[]): Condition => ({
  sql: values.length === 0 ? 'FALSE' : `${column} IN (${values.map(() => '?').join(', ')})`,
  params: values,
});

const joined = (conditions: readonly Condition[]): Condition => ({
  sql: conditions.length === 0 ? 'TRUE' : conditions.map(({ sql }) => `(${sql})`).join(' AND '),
  params: conditions.flatMap(({ params }) => params),
});
