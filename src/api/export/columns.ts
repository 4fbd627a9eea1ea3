import type { Alarm } from '../../alarms/alarm.ts';
import { REPORT_CHANNELS } from '../../alarms/reports.ts';
import { CATEGORIES } from '../../devices/event.ts';

export type ExportLanguage = 'zh' | 'en';
type Pair = Readonly<Record<ExportLanguage, string>>;

/** `time`: ms since the epoch, shown in the zone of the site. */
export type Cell = string | number | { readonly time: number } | null;

export interface Column {
  readonly head: Pair;
  /** Characters, about. */
  readonly width: number;
  /** Tells who somebody is or how to reach them: for managers. */
  readonly personal?: true;
  cell(alarm: Alarm, language: ExportLanguage): Cell;
}

const pair = (zh: string, en: string): Pair => ({ zh, en });
const YES = pair('是', 'yes');

const LEVELS = { 1: pair('一级', 'L1'), 2: pair('二级', 'L2'), 3: pair('三级', 'L3'), 4: pair('四级', 'L4') };
const CONDITIONS: Record<Alarm['condition'], Pair> = {
  'active-unacknowledged': pair('报警中·未确认', 'active, unacknowledged'),
  'active-acknowledged': pair('报警中·已确认', 'active, acknowledged'),
  'cleared-unacknowledged': pair('已恢复·未确认', 'cleared, unacknowledged'),
  latched: pair('已确认·待复位', 'latched'),
  normal: pair('已恢复', 'normal'),
};
const HANDLINGS: Record<Alarm['handling'], Pair> = {
  open: pair('未受理', 'open'),
  accepted: pair('已受理', 'accepted'),
  dispatched: pair('已派单', 'dispatched'),
  handled: pair('已处置', 'handled'),
  closed: pair('已销号', 'closed'),
  merged: pair('已并案', 'merged'),
  false: pair('误报', 'false alarm'),
};
const CHANNELS: Readonly<Record<string, Pair>> = {
  device: pair('设备', 'device'),
  camera: pair('摄像头', 'camera'),
  system: pair('本机', 'this box'),
  ...REPORT_CHANNELS,
};

const time = (ms: number | null): Cell => (ms === null ? null : { time: ms });
/** Minutes with one decimal; a clock that was stepped back in between measured nothing. */
const minutes = (from: number, to: number | null): Cell =>
  to === null || to < from ? null : Math.round((to - from) / 6_000) / 10;
const told = (alarm: Alarm, key: string): Cell => {
  const value = alarm.detail[key];
  return value === undefined || value === null ? null : String(value);
};

/** One sheet, one row an alarm: what an inspection asks for, in the order in which it happens. */
export const COLUMNS: readonly Column[] = [
  { head: pair('发生时间', 'Raised'), width: 20, cell: (alarm) => time(alarm.raisedAt) },
  { head: pair('级别', 'Level'), width: 7, cell: (alarm, language) => LEVELS[alarm.level][language] },
  { head: pair('类别', 'Category'), width: 16, cell: (alarm, language) => CATEGORIES[alarm.category][language] },
  { head: pair('位置', 'Place'), width: 26, cell: (alarm) => alarm.place },
  { head: pair('设备名称', 'Device name'), width: 24, cell: (alarm) => alarm.deviceName },
  { head: pair('设备编号', 'Device id'), width: 22, cell: (alarm) => alarm.device },
  {
    head: pair('来源', 'Source'),
    width: 12,
    cell: ({ channel }, language) => CHANNELS[channel]?.[language] ?? channel,
  },
  { head: pair('次数', 'Count'), width: 7, cell: (alarm) => alarm.count },
  { head: pair('报警状态', 'Condition'), width: 16, cell: (alarm, language) => CONDITIONS[alarm.condition][language] },
  { head: pair('处置状态', 'Handling'), width: 10, cell: (alarm, language) => HANDLINGS[alarm.handling][language] },
  { head: pair('演练', 'Drill'), width: 6, cell: (alarm, language) => (alarm.drill ? YES[language] : null) },
  { head: pair('补报', 'Told late'), width: 6, cell: (alarm, language) => (alarm.replayed ? YES[language] : null) },
  { head: pair('确认时间', 'Acknowledged'), width: 20, cell: (alarm) => time(alarm.acknowledgedAt) },
  { head: pair('确认人', 'Acknowledged by'), width: 12, cell: (alarm) => alarm.acknowledgedBy },
  {
    head: pair('确认用时（分）', 'To acknowledge (min)'),
    width: 12,
    cell: (alarm) => minutes(0, alarm.answeredMs),
  },
  { head: pair('负责人', 'With'), width: 12, cell: (alarm) => alarm.assignee },
  { head: pair('处置人', 'Handled by'), width: 12, cell: (alarm) => alarm.handledBy },
  { head: pair('处置结果', 'Result'), width: 36, cell: (alarm) => alarm.result },
  { head: pair('销号时间', 'Closed'), width: 20, cell: (alarm) => time(alarm.closedAt) },
  { head: pair('销号人', 'Closed by'), width: 12, cell: (alarm) => alarm.closedBy },
  {
    head: pair('销号用时（分）', 'To close (min)'),
    width: 12,
    cell: (alarm) => minutes(alarm.raisedAt, alarm.closedAt),
  },
  { head: pair('超时升级', 'Escalations'), width: 9, cell: (alarm) => alarm.escalations },
  { head: pair('上报内容', 'What was told'), width: 36, cell: (alarm) => told(alarm, 'text') },
  { head: pair('受理号', 'Receipt'), width: 12, cell: (alarm) => told(alarm, 'receipt') },
  { head: pair('反映人', 'Told by'), width: 12, personal: true, cell: (alarm) => told(alarm, 'reporter') },
  { head: pair('联系方式', 'Contact'), width: 16, personal: true, cell: (alarm) => told(alarm, 'contact') },
  { head: pair('并入', 'Merged into'), width: 38, cell: (alarm) => alarm.mergedInto },
  { head: pair('编号', 'Id'), width: 38, cell: (alarm) => alarm.id },
];
