import { day, now } from '../../words/time.ts';
import { addDays, addMonths, startOfDay } from './dates.ts';

export const PERIODS = ['7d', '30d', '12w', '12m', 'month'] as const;
export type ReportPeriod = (typeof PERIODS)[number];

export interface Span {
  readonly from: number;
  readonly to: number;
}
export interface Report extends Span {
  readonly by: 'day' | 'week' | 'month';
  /** As long, just before it. */
  readonly before: Span;
}

const at = (date: string): number => startOfDay(date) ?? 0;

/** @param month `2026-11`, with the period `month` */
export function reportOf(period: ReportPeriod, month: string): Report {
  const tomorrow = addDays(day(now()), 1);
  if (period === 'month') {
    const [from, to, before] = [0, 1, -1].map((months) => at(`${addMonths(month, months)}-01`));
    return { from: from ?? 0, to: to ?? 0, by: 'day', before: { from: before ?? 0, to: from ?? 0 } };
  }
  if (period === '12m') {
    const first = addMonths(tomorrow.slice(0, 7), -11);
    const from = at(`${first}-01`);
    return { from, to: at(tomorrow), by: 'month', before: { from: at(`${addMonths(first, -12)}-01`), to: from } };
  }
  const days = { '7d': 7, '30d': 30, '12w': 84 }[period];
  const from = addDays(tomorrow, -days);
  return {
    from: at(from),
    to: at(tomorrow),
    by: period === '12w' ? 'week' : 'day',
    before: { from: at(addDays(from, -days)), to: at(from) },
  };
}
