import type { Category } from '../devices/event.ts';
import { uuidBytes, uuidText } from '../journal/chain.ts';
import type { Change } from '../journal/entry.ts';
import { type Alarm, type Condition, type Handling, isClosed, isStillActive, type Level } from './alarm.ts';

/** A row of `alarms`. */
export interface AlarmRow {
  n: number;
  id: Buffer;
  live: number;
  raised_at: number;
  device: string;
  category: Category;
  place: string;
  level: Level;
  handling: Handling;
  condition: Condition;
  drill: number;
  replayed: number;
  count: number;
  entered: number;
  last_at: number;
  asked_at: number;
  cleared_at: number | null;
  acknowledged_at: number | null;
  closed_at: number | null;
  shelved_until: number | null;
  escalations: number;
  revision: number;
  kind: 'pulse' | 'level';
  channel: string;
  device_name: string;
  device_time: number | null;
  acknowledged_by: string | null;
  answered_ms: number | null;
  closed_by: string | null;
  assignee: string | null;
  result: string | null;
  handled_by: string | null;
  merged_into: Buffer | null;
  previous: Buffer | null;
  detail: string;
  evidence: string;
}

type Value = string | number | Buffer | null;

/** Held in memory: people still work on it, or its device still reports it and its end is to be recorded. */
export const isLive = (alarm: Alarm): boolean => !isClosed(alarm) || isStillActive(alarm);

export function alarmOf(row: AlarmRow): Alarm {
  return {
    id: uuidText(row.id),
    channel: row.channel,
    device: row.device,
    deviceName: row.device_name,
    place: row.place,
    category: row.category,
    kind: row.kind,
    level: row.level,
    condition: row.condition,
    handling: row.handling,
    drill: row.drill === 1,
    replayed: row.replayed === 1,
    count: row.count,
    raisedAt: row.raised_at,
    deviceTime: row.device_time,
    lastAt: row.last_at,
    askedAt: row.asked_at,
    clearedAt: row.cleared_at,
    acknowledgedAt: row.acknowledged_at,
    acknowledgedBy: row.acknowledged_by,
    answeredMs: row.answered_ms,
    closedAt: row.closed_at,
    closedBy: row.closed_by,
    assignee: row.assignee,
    result: row.result,
    handledBy: row.handled_by,
    escalations: row.escalations,
    shelvedUntil: row.shelved_until,
    mergedInto: row.merged_into === null ? null : uuidText(row.merged_into),
    previous: row.previous === null ? null : uuidText(row.previous),
    detail: JSON.parse(row.detail),
    evidence: JSON.parse(row.evidence),
    revision: row.revision,
  };
}

/** What never changes after an alarm was raised. */
const FIXED: Record<string, (alarm: Alarm) => Value> = {
  id: (alarm) => uuidBytes(alarm.id),
  raised_at: (alarm) => Math.round(alarm.raisedAt),
  device: (alarm) => alarm.device,
  category: (alarm) => alarm.category,
  place: (alarm) => alarm.place,
  drill: (alarm) => (alarm.drill ? 1 : 0),
  replayed: (alarm) => (alarm.replayed ? 1 : 0),
  kind: (alarm) => alarm.kind,
  channel: (alarm) => alarm.channel,
  device_name: (alarm) => alarm.deviceName,
  device_time: (alarm) => rounded(alarm.deviceTime),
  previous: (alarm) => (alarm.previous === null ? null : uuidBytes(alarm.previous)),
};

/** What changes often and is in no index. */
const LOOSE: Record<string, (alarm: Alarm) => Value> = {
  handling: (alarm) => alarm.handling,
  condition: (alarm) => alarm.condition,
  count: (alarm) => alarm.count,
  last_at: (alarm) => Math.round(alarm.lastAt),
  asked_at: (alarm) => Math.round(alarm.askedAt),
  cleared_at: (alarm) => rounded(alarm.clearedAt),
  acknowledged_at: (alarm) => rounded(alarm.acknowledgedAt),
  closed_at: (alarm) => rounded(alarm.closedAt),
  shelved_until: (alarm) => rounded(alarm.shelvedUntil),
  escalations: (alarm) => alarm.escalations,
  revision: (alarm) => alarm.revision,
  acknowledged_by: (alarm) => alarm.acknowledgedBy,
  // Entries from before this was told do not have it.
  answered_ms: (alarm) => rounded(alarm.answeredMs ?? null),
  closed_by: (alarm) => alarm.closedBy,
  assignee: (alarm) => alarm.assignee,
  result: (alarm) => alarm.result,
  handled_by: (alarm) => alarm.handledBy ?? null,
  merged_into: (alarm) => (alarm.mergedInto === null ? null : uuidBytes(alarm.mergedInto)),
  detail: (alarm) => JSON.stringify(alarm.detail),
  evidence: (alarm) => JSON.stringify(alarm.evidence),
};

/** What changes seldom and is in an index: named in an UPDATE only when it did, for each index named is written to. */
const INDEXED: Record<string, (alarm: Alarm) => Value> = {
  live: (alarm) => (isLive(alarm) ? 1 : 0),
  level: (alarm) => alarm.level,
};

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));
const all = { ...FIXED, ...LOOSE, ...INDEXED };
const assign = (columns: object): string =>
  Object.keys(columns)
    .map((column) => `${column} = ?`)
    .join(', ');

const INSERT = `INSERT INTO alarms (${Object.keys(all).join(', ')}, entered)
  VALUES (${Object.keys(all)
    .map(() => '?')
    .join(', ')}, ?)`;
const UPDATE = `UPDATE alarms SET ${assign({ ...LOOSE, ...INDEXED })}, entered = ? WHERE id = ?`;
const TOUCH = `UPDATE alarms SET ${assign(LOOSE)}, entered = ? WHERE id = ?`;

const values = (columns: Record<string, (alarm: Alarm) => Value>, alarm: Alarm): Value[] =>
  Object.values(columns).map((read) => read(alarm));

/**
 * Brings the row of an alarm up to date.
 * @param before as the row has it; `null` when there is none yet
 * @param entered the count its newest journal entry tells
 */
export function rowChange(before: Alarm | null, alarm: Alarm, entered: number): Change {
  if (before === null) return { sql: INSERT, params: [...values(all, alarm), entered] };
  const id = uuidBytes(alarm.id);
  return isLive(before) === isLive(alarm) && before.level === alarm.level
    ? { sql: TOUCH, params: [...values(LOOSE, alarm), entered, id] }
    : { sql: UPDATE, params: [...values(LOOSE, alarm), ...values(INDEXED, alarm), entered, id] };
}

const FOLD = `${INSERT} ON CONFLICT (id) DO UPDATE SET ${Object.keys({ ...LOOSE, ...INDEXED, entered: 0 })
  .map((column) => `${column} = excluded.${column}`)
  .join(', ')}`;

/** The row of an alarm as one of its journal entries says it, whether there is a row or not. */
export const foldChange = (alarm: Alarm): Change => ({ sql: FOLD, params: [...values(all, alarm), alarm.count] });
