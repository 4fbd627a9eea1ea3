import type { LocationQuery } from 'vue-router';
import { day, now } from '../../words/time.ts';
import { addDays, startOfDay } from './dates.ts';

export const RANGES = ['today', '7d', '30d', 'all', 'custom'] as const;
export type Range = (typeof RANGES)[number];

/** What is searched for; everything is text, as it is in the address, so that a search can be kept as a bookmark. */
export interface LedgerFilter {
  range: Range;
  /** Days of the site, with `custom`; `to` is included. */
  from: string;
  to: string;
  /** `1,2` */
  level: string;
  /** `unended`, `ended`, one handling, or nothing. */
  state: string;
  category: string;
  channel: string;
  place: string;
  device: string;
  person: string;
  text: string;
}

export const EMPTY: LedgerFilter = {
  range: '7d',
  from: '',
  to: '',
  level: '',
  state: '',
  category: '',
  channel: '',
  place: '',
  device: '',
  person: '',
  text: '',
};
const KEYS = Object.keys(EMPTY) as (keyof LedgerFilter)[];

export function fromAddress(query: LocationQuery): LedgerFilter {
  const filter: Record<string, string> = { ...EMPTY };
  for (const key of KEYS) {
    const value = query[key];
    if (typeof value === 'string') filter[key] = value.slice(0, 200);
  }
  if (!RANGES.includes(filter['range'] as Range)) filter['range'] = EMPTY.range;
  return filter as unknown as LedgerFilter;
}

/** Only what differs from a search for nothing in particular. */
export const toAddress = (filter: LedgerFilter): Record<string, string> =>
  Object.fromEntries(KEYS.filter((key) => filter[key] !== EMPTY[key]).map((key) => [key, filter[key]]));

/** The same in the words of the API. */
export function toSearch(filter: LedgerFilter): Record<string, string | number | undefined> {
  const { range, from, to, state, ...rest } = filter;
  return { ...rest, ...handlingOf(state), ...spanOf(range, from, to) };
}

function handlingOf(state: string): Record<string, string> {
  if (state === 'unended') return { state: 'open' };
  if (state === 'ended') return { state: 'closed' };
  return state === '' ? { state: 'all' } : { state: 'all', handling: state };
}

function spanOf(range: Range, from: string, to: string): { from?: number; to?: number } {
  const today = day(now());
  const since = (date: string) => ({ from: startOfDay(date) ?? 0 });
  if (range === 'today') return since(today);
  if (range === '7d') return since(addDays(today, -6));
  if (range === '30d') return since(addDays(today, -29));
  if (range === 'all') return {};
  const [begin, end] = [startOfDay(from), startOfDay(to)];
  return {
    ...(begin === null ? {} : { from: begin }),
    ...(end === null ? {} : { to: startOfDay(addDays(to, 1)) ?? end }),
  };
}
