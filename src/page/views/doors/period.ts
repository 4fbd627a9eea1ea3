import { day, now, siteZone } from '../../words/time.ts';

export const PERIODS = ['all', 'hour', 'today', 'yesterday', 'week', 'own'] as const;
export type Period = (typeof PERIODS)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * The moment that a clock in the compound showed as `2026-11-26T14:05`.
 * @returns ms since the epoch; `undefined` for what is no time
 */
export function atSite(text: string): number | undefined {
  const asUtc = Date.parse(`${text}Z`);
  if (Number.isNaN(asUtc)) return undefined;
  // What the zone's clock shows is off by its offset; the second look is for the hour in which that changes.
  const first = asUtc - offsetAt(asUtc);
  return asUtc - offsetAt(first);
}

/** ms that the site's clock is ahead of UTC at that moment. */
function offsetAt(ms: number): number {
  const shown = new Date(ms).toLocaleString('sv-SE', { timeZone: siteZone() });
  return Date.parse(`${shown.replace(' ', 'T')}Z`) - Math.floor(ms / 1_000) * 1_000;
}

/** From when to when; `undefined` where it is open. @param own what was typed for `own`, as a clock there shows it */
export function spanOf(
  period: Period,
  own: { from: string; to: string },
): { from?: number | undefined; to?: number | undefined } {
  const midnight = atSite(`${day(now())}T00:00`) ?? 0;
  if (period === 'hour') return { from: now() - HOUR };
  if (period === 'today') return { from: midnight };
  if (period === 'yesterday') return { from: atSite(`${day(midnight - DAY / 2)}T00:00`), to: midnight };
  if (period === 'week') return { from: midnight - 6 * DAY };
  if (period === 'own') return { from: atSite(own.from), to: atSite(own.to) };
  return {};
}
