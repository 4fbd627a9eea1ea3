export const PERIODS = ['day', 'week', 'month'] as const;
export type Period = (typeof PERIODS)[number];

const DAY_MS = 86_400_000;
/** No zone has ever changed its offset but at a whole quarter of an hour. */
const QUARTER_MS = 900_000;
/** Quarters remembered: a ledger of years is read in order. */
const REMEMBERED = 10_000;

/** Days, weeks and months as people in a zone count them. Times are ms since the epoch. */
export class Calendar {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();

  /** @param timezone IANA name */
  constructor(timezone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** What clocks of the zone show, as if it were UTC, ms. */
  local(wall: number): number {
    return wall + this.#offset(wall);
  }

  /** `2026-11-26 13:04:33` */
  text(wall: number): string {
    return new Date(this.local(wall)).toISOString().slice(0, 19).replace('T', ' ');
  }

  /** When the day, the week (it begins on Monday, GB/T 7408) or the month began that `wall` lies in. */
  startOf(period: Period, wall: number): number {
    return this.#when(this.#startOf(period, this.local(wall)));
  }

  /** [from, to) cut where days, weeks or months begin, oldest first. */
  spans(period: Period, from: number, to: number): { from: number; to: number }[] {
    const spans: { from: number; to: number }[] = [];
    let local = this.#startOf(period, this.local(from));
    for (let at = from; at < to; ) {
      local = after(period, local);
      const end = Math.min(this.#when(local), to);
      if (end > at) spans.push({ from: at, to: end });
      at = Math.max(at, end);
    }
    return spans;
  }

  #startOf(period: Period, local: number): number {
    const day = Math.floor(local / DAY_MS);
    if (period === 'day') return day * DAY_MS;
    // The first of January 1970 was a Thursday.
    if (period === 'week') return (day - ((((day + 3) % 7) + 7) % 7)) * DAY_MS;
    const date = new Date(local);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }

  /** The first moment at which clocks show `local` or later; where summer time leaves it out, or repeats it, there is one too. */
  #when(local: number): number {
    const moments = [local - this.#offset(local - DAY_MS), local - this.#offset(local + DAY_MS)];
    return Math.min(...moments.filter((moment) => this.local(moment) >= local));
  }

  #offset(wall: number): number {
    const quarter = Math.floor(wall / QUARTER_MS);
    let offset = this.#offsets.get(quarter);
    if (offset === undefined) {
      const at = quarter * QUARTER_MS;
      const part = Object.fromEntries(this.#format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
      offset = Date.UTC(year, month - 1, day, hour, minute, second) - at;
      if (this.#offsets.size >= REMEMBERED) this.#offsets.clear();
      this.#offsets.set(quarter, offset);
    }
    return offset;
  }
}

function after(period: Period, local: number): number {
  if (period === 'day') return local + DAY_MS;
  if (period === 'week') return local + 7 * DAY_MS;
  const date = new Date(local);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
