import { siteZone } from '../../words/time.ts';

const DAY_MS = 86_400_000;

/** What clocks of the site show at `ms`, as if it were UTC. */
const shown = (ms: number): number =>
  Date.parse(`${new Date(ms).toLocaleString('sv-SE', { timeZone: siteZone() }).replace(' ', 'T')}Z`);

/** When a day of the site begins. @param date `2026-11-26` @returns ms since the epoch, or `null` for what is no date */
export function startOfDay(date: string): number | null {
  const wanted = Date.parse(`${date}T00:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(wanted)) return null;
  // Twice: the first answer may lie on the other side of a change of the clocks.
  const near = wanted - (shown(wanted) - wanted);
  return near - (shown(near) - wanted);
}

/** `2026-11-26`, 3 → `2026-11-29` */
export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** `2026-11`, -1 → `2026-10` */
export function addMonths(month: string, months: number): string {
  const [year = 1970, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + months, 1)).toISOString().slice(0, 7);
}
