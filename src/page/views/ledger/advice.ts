import { t, type WordKey } from '../../words/words.ts';
import type { Statistics } from './types.ts';

/** What to do about a device, in plain words. The most particular family comes first. */
const BY_CATEGORY: readonly (readonly [begins: string, word: WordKey])[] = [
  ['fire.button', 'reports.do_button'],
  ['fire.', 'reports.do_fire'],
  ['sos', 'reports.do_button'],
  ['intrusion.', 'reports.do_intrusion'],
  ['object.', 'reports.do_intrusion'],
  ['motion', 'reports.do_intrusion'],
  ['door.', 'reports.do_door'],
  ['access.', 'reports.do_access'],
  ['camera.', 'reports.do_camera'],
  ['tamper', 'reports.do_tamper'],
  ['battery.', 'reports.do_battery'],
  ['device.', 'reports.do_offline'],
  ['fault', 'reports.do_offline'],
];

export const adviceFor = (category: string): string =>
  t(BY_CATEGORY.find(([begins]) => category.startsWith(begins))?.[1] ?? 'reports.do_other');

export const adviceOnFalse = (rate: number): string =>
  t(rate >= 0.8 ? 'reports.do_false_all' : rate >= 0.5 ? 'reports.do_false_half' : 'reports.do_false_some');

/** A flood is ten in ten minutes; more than 150 a day nobody can follow (EEMUA 191). */
const FLOOD = 10;
const MANY_A_DAY = 150;

export function adviceOnAll({ busiestTenMinutes, alarms }: Statistics, days: number): string[] {
  return [
    ...(busiestTenMinutes > FLOOD ? [t('reports.do_flood')] : []),
    ...(alarms / Math.max(1, days) > MANY_A_DAY ? [t('reports.do_many')] : []),
  ];
}
