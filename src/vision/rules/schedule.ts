import type { WallMs } from '../../kernel/clock.ts';

/** `22:00`–`06:00`; the end is not part of it. */
export type TimeSpan = readonly [from: string, to: string];

const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

/** Minutes of the day in one time zone. The zone is looked up once a minute: `Intl` costs more than all else here. */
export class TimeOfDay {
  readonly #format: Intl.DateTimeFormat;
  #minute = Number.NaN;
  #value = 0;

  /** @param timezone IANA name */
  constructor(timezone: string) {
    this.#format = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, hour: '2-digit', minute: '2-digit' });
  }

  /** 0–1439 */
  at(wall: WallMs): number {
    const minute = Math.floor(wall / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#value = minutes(this.#format.format(wall)) % 1_440;
    }
    return this.#value;
  }
}

/** Whether a minute of the day lies in one of the spans. None: always. A span may pass midnight; `08:00`–`08:00` is all day. */
export function inTimes(times: readonly TimeSpan[], minute: number): boolean {
  if (times.length === 0) return true;
  return times.some((span) => {
    const [from, to] = [minutes(span[0]), minutes(span[1])];
    return from < to ? minute >= from && minute < to : minute >= from || minute < to;
  });
}
