import { request } from '../api/request.ts';
import type { AlarmPage } from '../api/types.ts';

/** Beyond this many pages of the ledger the number is told as "at least", pages of 500. */
const MOST_PAGES = 20;

/** What happened while nobody could see it, told once the connection is back. */
export interface Gap {
  /** ms since the epoch, by the box's clock */
  readonly from: number;
  readonly to: number;
  /** Alarms raised meanwhile. */
  readonly raised: number;
  /** There were more than were counted. */
  readonly more: boolean;
}

/** Two gaps that were not yet read about are one. */
export const joined = (before: Gap | null, gap: Gap): Gap =>
  before === null
    ? gap
    : { from: before.from, to: gap.to, raised: before.raised + gap.raised, more: before.more || gap.more };

/**
 * Counts in the ledger what was raised after `since`, for when too much was missed to be told entry by entry.
 * @param since ms since the epoch, by the box's clock
 * @throws Refused
 */
export async function raisedSince(since: number): Promise<Pick<Gap, 'raised' | 'more'>> {
  let raised = 0;
  let before: string | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const next: string = before === null ? '' : `&before=${before}`;
    const found: AlarmPage = await request<AlarmPage>(`/api/alarms?state=all&from=${since + 1}&limit=500${next}`);
    raised += found.alarms.length;
    before = found.next;
    if (before === null) return { raised, more: false };
  }
  return { raised, more: true };
}
