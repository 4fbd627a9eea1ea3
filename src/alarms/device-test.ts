import { CATEGORIES, type Category } from '../devices/event.ts';
import { type Alarm, drillLasts } from './alarm.ts';
import { drill, type Report } from './reports.ts';

/**
 * A device is tried out: for some minutes, whatever it reports is practice, and the test says whether it was heard. It
 * is a drill of one device, and so an alarm like any other: seen by everybody, ended by itself, kept in the ledger.
 */
export const testOf = (
  device: { id: string; name: string; place: string },
  category: Category,
  minutes: number,
): Report =>
  drill({ category, device: device.id, place: device.place, text: `设备测试 · device test: ${device.name}`, minutes });

export const isTest = (alarm: Alarm): boolean => alarm.device !== '' && drillLasts(alarm) !== null;

/** What is said about a device, and not because somebody tries it out: never practice. */
const ABOUT_IT = new Set(['device', 'battery', 'fault', 'system']);

/** Whether a test of a device covers what it reports. */
export const isTried = (category: Category): boolean => !ABOUT_IT.has(category.split('.', 1)[0] ?? '');

export const heard = (category: Category): string =>
  `已收到：${CATEGORIES[category].zh} · heard: ${CATEGORIES[category].en}`;
export const NOTHING_HEARD = '未收到设备信号 · nothing was heard from the device';
