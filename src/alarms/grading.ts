import type { AlarmsConfig } from '../config/schema.ts';
import { CATEGORIES, type Category, type DeviceEvent } from '../devices/event.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Level } from './alarm.ts';
import { isBetween, type MinuteOfDay, minuteOfDay, parseTimeOfDay } from './time-of-day.ts';

/** `null`: kept in the journal, no alarm. */
export type Grade = Level | null;

/** What the level of an event or report depends on. */
export interface Gradable {
  readonly category: Category;
  readonly device: string;
  readonly place: string;
  /** When it happened, ms since the epoch. */
  readonly at: number;
}

/**
 * Levels where no rule says otherwise. The second column is for devices a life may hang on: a call point that has been
 * opened, has no power or says nothing is one that will not call when it should.
 */
const DEFAULTS: Record<Category, Grade | readonly [plain: Grade, lifeSafety: Grade]> = {
  'fire.button': 1,
  'fire.smoke': 1,
  'fire.gas': 1,
  'fire.heat': 1,
  'fire.camera': 1,
  sos: 1,
  'intrusion.climb': 2,
  'intrusion.cross': 2,
  'intrusion.line': 3,
  'intrusion.area': 3,
  'intrusion.loiter': 4,
  'door.forced': 2,
  'door.held': 3,
  'door.state': null,
  'access.granted': null,
  'access.denied': null,
  'access.stranger': null,
  'access.blocklist': null,
  'access.presented': null,
  'access.seen': null,
  'object.thrown': 2,
  'object.ebike': 3,
  'post.absent': 3,
  tamper: [3, 2],
  fault: [3, 2],
  'fault.power': [3, 2],
  'battery.low': [4, 3],
  'device.offline': [3, 2],
  'device.degraded': [4, 3],
  'device.clock': 4,
  'camera.dark': 4,
  'camera.bright': 4,
  'camera.blurred': 4,
  'camera.covered': 3,
  'camera.moved': 3,
  'camera.frozen': 3,
  motion: null,
  'system.disk': 3,
  'system.storage': 2,
  'system.backlog': 3,
  'system.clock': 3,
  'report.resident': 4,
  'order.centre': 4,
};

interface Rule {
  readonly category: (category: Category) => boolean;
  readonly device: (device: string) => boolean;
  readonly place: string;
  readonly between: readonly [number, number] | null;
  readonly grade: Grade;
}

export interface GradingOptions {
  readonly rules: AlarmsConfig['rules'];
  /** Zone of the rules' times of day. */
  readonly timezone: string;
  /** Whether a life may hang on this device; its profile says so. */
  readonly lifeSafety: (device: string) => boolean;
}

/** Category × place × time of day → level. What is practice or told late keeps its level; it is marked instead. */
export class Grading {
  readonly #rules: readonly Rule[];
  readonly #minute: MinuteOfDay;
  readonly #lifeSafety: (device: string) => boolean;

  /** @throws QuanweiError BAD_CONFIG for a rule that says nothing, names no category, or would silence fire or SOS */
  constructor(options: GradingOptions) {
    this.#rules = options.rules.map(compile);
    this.#minute = minuteOfDay(options.timezone);
    this.#lifeSafety = options.lifeSafety;
  }

  /** The first rule that holds decides, else the table. Fire and SOS are graded but never merely recorded. */
  grade(what: Gradable): Grade {
    for (const rule of this.#rules) {
      if (!rule.category(what.category) || !rule.device(what.device) || !what.place.startsWith(rule.place)) continue;
      if (rule.between !== null && !isBetween(this.#minute(what.at), ...rule.between)) continue;
      if (rule.grade === null && CATEGORIES[what.category].lifeSafety) continue;
      return rule.grade;
    }
    const level = DEFAULTS[what.category];
    return typeof level === 'object' && level !== null ? level[this.#lifeSafety(what.device) ? 1 : 0] : level;
  }

  /** The grade of a device's event. One told late is graded by the time it happened, where that is known. */
  ofEvent(event: DeviceEvent, place: string, now: number): Grade {
    const at = event.replayed ? (event.deviceTime ?? now) : now;
    return this.grade({ category: event.category, device: event.device, place, at });
  }
}

function compile({ name, when, level, record }: AlarmsConfig['rules'][number], index: number): Rule {
  const wrong = (what: string, hint: string) =>
    new QuanweiError('BAD_CONFIG', `rule “${name}”: ${what}`, { where: `alarms.rules[${index}]`, hint });
  if ((level === undefined) === (record === undefined)) {
    throw wrong('it must say either a level or record', 'level: 2, or record: true');
  }
  const family = when.category?.endsWith('.*') === true ? when.category.slice(0, -1) : null;
  const all = Object.keys(CATEGORIES) as Category[];
  const meant = all.filter((one) =>
    family === null ? when.category === undefined || one === when.category : one.startsWith(family),
  );
  if (meant.length === 0) throw wrong(`there is no category ${when.category}`, 'docs/alarms.md lists them');
  if (record === true && meant.every((one) => CATEGORIES[one].lifeSafety)) {
    throw wrong('fire and SOS cannot be merely recorded', 'give them a level, or remove the rule');
  }
  const { device } = when;
  const prefix = device?.endsWith('*') === true ? device.slice(0, -1) : null;
  const categories = new Set<Category>(meant);
  return {
    category: (category) => categories.has(category),
    device: (id) => device === undefined || (prefix === null ? id === device : id.startsWith(prefix)),
    place: when.place ?? '',
    between: when.between === undefined ? null : [parseTimeOfDay(when.between[0]), parseTimeOfDay(when.between[1])],
    grade: level ?? null,
  };
}

/** Where a category lands by itself, as `docs/alarms.md` prints it. @returns `[plain, on a life-safety device]` */
export function defaultGrade(category: Category): readonly [Grade, Grade] {
  const grade = DEFAULTS[category];
  return typeof grade === 'object' && grade !== null ? [grade[0], grade[1]] : [grade, grade];
}
