/**
 * What devices say, in our words. A profile maps a vendor's message to these; nothing past `devices/` knows a vendor.
 */

/** What an event is about. Alarms are graded by it; rules may match a whole family by its first word. */
export const CATEGORIES = {
  'fire.button': { zh: '手动火灾报警', en: 'Fire button pressed', lifeSafety: true },
  'fire.smoke': { zh: '烟雾报警', en: 'Smoke detected', lifeSafety: true },
  'fire.gas': { zh: '可燃气体报警', en: 'Gas detected', lifeSafety: true },
  'fire.heat': { zh: '高温报警', en: 'Heat detected', lifeSafety: true },
  'fire.camera': { zh: '视频烟火', en: 'Fire or smoke seen by a camera', lifeSafety: true },
  sos: { zh: '紧急求助', en: 'Emergency call', lifeSafety: true },
  'intrusion.climb': { zh: '翻越围墙', en: 'Person climbing the fence', lifeSafety: false },
  'intrusion.cross': { zh: '越过围墙', en: 'Person crossing the fence', lifeSafety: false },
  'intrusion.line': { zh: '越界', en: 'Line crossed', lifeSafety: false },
  'intrusion.area': { zh: '区域入侵', en: 'Person in a guarded area', lifeSafety: false },
  'intrusion.loiter': { zh: '徘徊', en: 'Person loitering', lifeSafety: false },
  'door.forced': { zh: '强行开门', en: 'Door forced', lifeSafety: false },
  'door.held': { zh: '门未关', en: 'Door held open', lifeSafety: false },
  'door.state': { zh: '门状态', en: 'Door state', lifeSafety: false },
  'access.granted': { zh: '通行', en: 'Access granted', lifeSafety: false },
  'access.denied': { zh: '拒绝通行', en: 'Access denied', lifeSafety: false },
  'access.stranger': { zh: '陌生人', en: 'Unknown face', lifeSafety: false },
  'access.blocklist': { zh: '布控人员', en: 'Person on the block list', lifeSafety: false },
  'access.presented': { zh: '出示凭证', en: 'Credential presented', lifeSafety: false },
  'access.seen': { zh: '识别到登记人员', en: 'Known face seen', lifeSafety: false },
  'object.thrown': { zh: '高空抛物', en: 'Object thrown from height', lifeSafety: false },
  'object.ebike': { zh: '电动车进楼', en: 'E-bike indoors', lifeSafety: false },
  'post.absent': { zh: '离岗', en: 'Post left unattended', lifeSafety: false },
  tamper: { zh: '防拆报警', en: 'Device tampered with', lifeSafety: false },
  fault: { zh: '设备故障', en: 'Device fault', lifeSafety: false },
  'fault.power': { zh: '电源故障', en: 'Power fault', lifeSafety: false },
  'battery.low': { zh: '电量低', en: 'Battery low', lifeSafety: false },
  'device.offline': { zh: '设备离线', en: 'Device silent', lifeSafety: false },
  'device.degraded': { zh: '设备降级', en: 'Device works only in part', lifeSafety: false },
  'device.clock': { zh: '设备时钟错误', en: 'Device clock wrong', lifeSafety: false },
  'camera.dark': { zh: '画面过暗', en: 'Camera picture dark', lifeSafety: false },
  'camera.bright': { zh: '画面过亮', en: 'Camera picture too bright', lifeSafety: false },
  'camera.blurred': { zh: '画面模糊', en: 'Camera picture blurred', lifeSafety: false },
  'camera.covered': { zh: '摄像头被遮挡', en: 'Camera covered', lifeSafety: false },
  'camera.moved': { zh: '摄像头被移动', en: 'Camera moved', lifeSafety: false },
  'camera.frozen': { zh: '画面冻结', en: 'Camera picture frozen', lifeSafety: false },
  motion: { zh: '移动侦测', en: 'Motion', lifeSafety: false },
  'system.disk': { zh: '磁盘空间不足', en: 'Disk nearly full', lifeSafety: false },
  'system.storage': { zh: '存储故障', en: 'Storage fault', lifeSafety: false },
  'system.backlog': { zh: '上报积压', en: 'Backlog to the centre', lifeSafety: false },
  'system.clock': { zh: '系统时钟错误', en: 'System clock wrong', lifeSafety: false },
  'report.resident': { zh: '居民随手拍', en: "Resident's report", lifeSafety: false },
  'order.centre': { zh: '中心交办', en: 'Task from the centre', lifeSafety: false },
} as const satisfies Record<string, { zh: string; en: string; lifeSafety: boolean }>;

export type Category = keyof typeof CATEGORIES;

/** A scalar a device said about an event; every string is untrusted text of at most 256 characters. */
export type Detail = Readonly<Record<string, string | number | boolean | null>>;

export interface DeviceEvent {
  /** Registry id of the end device (behind a hub: not the hub's). */
  readonly device: string;
  readonly category: Category;
  /** `pulse` happened and has no end; `level` is a state that is raised (`active: true`) and clears (`active: false`). */
  readonly kind: 'pulse' | 'level';
  readonly active: boolean;
  /** Happened before now and is only being told now (design §2 promise 10). Never rings, never opens. */
  readonly replayed: boolean;
  /** The device says it is a test; recorded as a drill. */
  readonly test: boolean;
  /** Device's own time, ms since the epoch, when it gave one that can be believed. */
  readonly deviceTime: number | null;
  /** What a follower may show or match on: who, which card, which line, how sure. Redacted by the profile. */
  readonly detail: Detail;
  /** Where evidence lies, never the evidence itself. */
  readonly evidence?: readonly { kind: 'picture' | 'clip'; ref: string; sha256: string }[];
}

/** What a message told about the device itself; merged into its registry entry. Absent = not told. */
export interface DeviceReport {
  readonly online?: boolean;
  /** 0–100 */
  readonly battery?: number;
  readonly firmware?: string;
  readonly address?: string;
  /** Device's own clock, ms since the epoch, to be compared with ours. */
  readonly clock?: number;
}

/** A message to a device. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}
