/** Which minute of the day it is for people in a time zone. */
export type MinuteOfDay = (wall: number) => number;

const MINUTE_MS = 60_000;
/** Distinct minutes remembered: events cluster around now, and around the times of one backlog. */
const REMEMBERED = 1_000;

/**
 * @param timezone IANA name
 * @returns 0–1439 as clocks in that zone show it, through every change of its offset
 */
export function minuteOfDay(timezone: string): MinuteOfDay {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const known = new Map<number, number>();
  return (wall) => {
    const minute = Math.floor(wall / MINUTE_MS);
    let shown = known.get(minute);
    if (shown === undefined) {
      const [hours = 0, minutes = 0] = format
        .format(minute * MINUTE_MS)
        .split(':')
        .map(Number);
      shown = hours * 60 + minutes;
      if (known.size >= REMEMBERED) known.clear();
      known.set(minute, shown);
    }
    return shown;
  };
}

/** `22:00` → 1320 */
export function parseTimeOfDay(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

/**
 * Whether `minute` lies in [from, to); past midnight when `to` is before `from`, the whole day when they are equal.
 * It is the time that clocks show: an hour that summer time leaves out never comes, one it repeats counts twice.
 */
export const isBetween = (minute: number, from: number, to: number): boolean =>
  from === to || (from < to ? minute >= from && minute < to : minute >= from || minute < to);
