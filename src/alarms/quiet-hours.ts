import type { AlarmsConfig } from '../config/schema.ts';
import type { Level } from './alarm.ts';
import { isBetween, type MinuteOfDay, parseTimeOfDay } from './time-of-day.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** When a deadline really falls due: as it is, or put off to the end of the quiet hours. ms since the epoch. */
export type PutOff = (due: number, level: Level) => number;

/**
 * Quiet hours (免打扰): an alarm is raised and shown as ever, but of the levels named no deadline passes in them; it
 * passes when they end. The schema lets in levels 3 and 4 alone, so that whatever is set here, levels 1 and 2 never wait.
 */
export function quietHours(quiet: AlarmsConfig['quiet'], minute: MinuteOfDay): PutOff {
  if (quiet === undefined) return (due) => due;
  const [from, to] = [parseTimeOfDay(quiet.between[0]), parseTimeOfDay(quiet.between[1])];
  const levels = new Set<Level>(quiet.levels);
  return (due, level) => {
    if (level < 3 || !levels.has(level)) return due;
    const at = minute(due);
    if (from === to || !isBetween(at, from, to)) return due;
    const left = (to - at + DAY_MINUTES) % DAY_MINUTES;
    return Math.floor(due / MINUTE_MS) * MINUTE_MS + left * MINUTE_MS;
  };
}
