import type { Alarm } from '../../alarms/alarm.ts';
import type { Calendar } from '../../alarms/calendar.ts';
import type { Column, ExportLanguage } from './columns.ts';

/** Alarms a page at a time, newest first. */
export type Pages = AsyncIterable<readonly Alarm[]>;

/** What a file is made of, whatever its kind. */
export interface Sheet {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly language: ExportLanguage;
  readonly calendar: Calendar;
  readonly pages: Pages;
}
