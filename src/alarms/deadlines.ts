import type { AlarmsConfig } from '../config/schema.ts';
import { type Alarm, drillLasts, isClosed, isUnacknowledged } from './alarm.ts';
import type { PutOff } from './quiet-hours.ts';

/** Until when something must have been done; a row that survives a restart, never a sleeping timer. */
export interface Deadline {
  /** ms since the epoch by the gateway's wall clock, moved with it when it steps; `null`: everybody has been told. */
  readonly due: number | null;
  /** ms from one telling to the next. */
  readonly every: number;
  /** How often it has been missed. */
  readonly missed: number;
}

export interface Deadlines {
  readonly acknowledge: Deadline | null;
  readonly close: Deadline | null;
  /** When the shelving ends. */
  readonly shelve: number | null;
}

export const NO_DEADLINES: Deadlines = { acknowledge: null, close: null, shelve: null };

type Levels = AlarmsConfig['levels'];

/** An alarm on level 1 that nobody acknowledges is told again for ever, ever more seldom, but at least this often, ms. */
const SELDOMEST_MS = 3_600_000;
/** And never more often than this, whatever the configuration says, ms. */
const SOONEST_MS = 1_000;

const AS_IT_IS: PutOff = (due) => due;

/**
 * What an alarm waits for after a step of its life. Practice has no deadlines but its own end. What is told late must be closed in
 * time, but nobody is called out of bed for it. While shelved, only the shelving ends.
 * @param current what it waited for before
 * @param putOff moves a new deadline out of the quiet hours
 */
export function deadlinesOf(
  alarm: Alarm,
  current: Deadlines,
  now: number,
  levels: Levels,
  putOff: PutOff = AS_IT_IS,
): Deadlines {
  if (isClosed(alarm)) return NO_DEADLINES;
  if (alarm.shelvedUntil !== null) {
    return current.shelve === alarm.shelvedUntil && current.acknowledge === null && current.close === null
      ? current
      : { ...NO_DEADLINES, shelve: alarm.shelvedUntil };
  }
  const level = levels[alarm.level];
  const dueIn = (ms: number) => putOff(now + ms, alarm.level);
  const acknowledge =
    isUnacknowledged(alarm) && !alarm.drill && !alarm.replayed
      ? sooner(current.acknowledge, level?.acknowledge, dueIn)
      : null;
  const close = alarm.drill ? (current.close ?? endOfDrill(alarm)) : sooner(current.close, level?.close, dueIn);
  return current.shelve === null && same(acknowledge, current.acknowledge) && same(close, current.close)
    ? current
    : { acknowledge, close, shelve: null };
}

/** A deadline already set stays, unless the level it has risen to asks for it sooner. */
function sooner(current: Deadline | null, within: number | undefined, dueIn: (ms: number) => number): Deadline | null {
  if (within === undefined) return current;
  if (current === null) return { due: dueIn(within), every: within, missed: 0 };
  if (within >= current.every) {
    // Later than any telling comes by itself: it was put off to the morning at a lesser level. Not at this one.
    const latest = dueIn(current.missed === 0 ? current.every : Math.max(current.every, SELDOMEST_MS));
    return current.due === null || current.due <= latest ? current : { ...current, due: latest };
  }
  return {
    due: Math.min(current.due ?? Number.POSITIVE_INFINITY, dueIn(within)),
    every: within,
    missed: current.missed,
  };
}

/** A drill that is under way ends by itself: nobody may forget that a place is being practised in. */
function endOfDrill(alarm: Alarm): Deadline | null {
  const lasts = drillLasts(alarm);
  return lasts === null ? null : { due: alarm.raisedAt + lasts, every: lasts, missed: 0 };
}

/** After it was missed and somebody was told. @param last everybody in the list has now been told */
export function missed(
  deadline: Deadline,
  alarm: Alarm,
  which: 'acknowledge' | 'close',
  now: number,
  last: boolean,
  putOff: PutOff = AS_IT_IS,
): Deadline {
  const times = deadline.missed + 1;
  const every = Math.max(deadline.every, SOONEST_MS);
  const endless = alarm.level === 1 && which === 'acknowledge';
  const again = Math.max(every, Math.min(every * 2 ** Math.min(times - 1, 20), SELDOMEST_MS));
  return {
    ...deadline,
    missed: times,
    due: last && !endless ? null : putOff(now + (last ? again : every), alarm.level),
  };
}

const same = (a: Deadline | null, b: Deadline | null): boolean =>
  a === b || (a !== null && b !== null && a.due === b.due && a.every === b.every && a.missed === b.missed);

/** The same, `ms` later or earlier: the wall clock was stepped. */
export const shifted = (deadlines: Deadlines, ms: number): Deadlines => ({
  acknowledge: moved(deadlines.acknowledge, ms),
  close: moved(deadlines.close, ms),
  shelve: deadlines.shelve === null ? null : deadlines.shelve + ms,
});

const moved = (deadline: Deadline | null, ms: number): Deadline | null =>
  deadline === null || deadline.due === null ? deadline : { ...deadline, due: deadline.due + ms };

/** The earliest time any of it falls due; `Infinity` when none does. */
export const firstDue = ({ acknowledge, close, shelve }: Deadlines): number =>
  Math.min(
    acknowledge?.due ?? Number.POSITIVE_INFINITY,
    close?.due ?? Number.POSITIVE_INFINITY,
    shelve ?? Number.POSITIVE_INFINITY,
  );
