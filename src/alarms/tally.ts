import type { AlarmsConfig } from '../config/schema.ts';
import type { Category } from '../devices/event.ts';
import type { Handling, Level } from './alarm.ts';

/** Three events or more, and three a minute or more, is chattering. */
const CHATTERING = { events: 3, everyMs: 20_000 };
/** Ten alarms in ten minutes are a flood (EEMUA 191). */
const FLOOD_MS = 600_000;
const TOP = 10;

export interface Percentiles {
  /** ms; `null` when nothing was measured */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly measured: number;
}

export interface LevelFigures {
  readonly level: Level;
  readonly alarms: number;
  /** From asking to the acknowledgement; where an alarm asked more than once, the longest. */
  readonly acknowledge: Percentiles;
  /** From being raised to 销号. */
  readonly close: Percentiles;
  /** Closed within the level's time, of those closed or overdue, 0–1; `null` when there is none or no deadline. */
  readonly onTime: number | null;
  readonly escalated: number;
}

export interface DeviceFigures {
  readonly device: string;
  readonly name: string;
  readonly alarms: number;
  readonly events: number;
  readonly false: number;
  /** Of those closed, 0–1; `null` when none is. */
  readonly falseRate: number | null;
}

/** Without drills and without what was told late: neither says how well the compound is looked after. */
export interface Figures {
  readonly alarms: number;
  /** Not closed now. */
  readonly open: number;
  /** Of all levels together: from asking to the acknowledgement. */
  readonly acknowledge: Percentiles;
  readonly close: Percentiles;
  readonly onTime: number | null;
  readonly escalated: number;
  readonly levels: readonly LevelFigures[];
  readonly falseRate: number | null;
  readonly categories: readonly { category: Category; alarms: number; events: number }[];
  /** The ten devices with most alarms. */
  readonly top: readonly DeviceFigures[];
  /** The ten devices with the highest share of false alarms, of those with at least three closed. */
  readonly mostFalse: readonly DeviceFigures[];
  readonly chattering: readonly { device: string; name: string; category: Category; count: number }[];
  /** Most alarms in any ten minutes. */
  readonly busiestTenMinutes: number;
}

/** What of an alarm is counted. */
export interface Counted {
  level: Level;
  category: Category;
  device: string;
  device_name: string;
  handling: Handling;
  count: number;
  raised_at: number;
  last_at: number;
  answered_ms: number | null;
  closed_at: number | null;
  escalations: number;
}

interface LevelTally {
  alarms: number;
  escalated: number;
  kept: number;
  known: number;
  readonly acknowledge: number[];
  readonly close: number[];
}
interface DeviceTally {
  name: string;
  alarms: number;
  events: number;
  false: number;
  closed: number;
}

/** Takes alarms newest first. */
export class Tally {
  alarms = 0;
  #open = 0;
  #false = 0;
  #closed = 0;
  #busiest = 0;
  readonly #levels = new Map<Level, LevelTally>();
  readonly #devices = new Map<string, DeviceTally>();
  readonly #categories = new Map<Category, { alarms: number; events: number }>();
  readonly #chattering = new Map<string, { device: string; name: string; category: Category; count: number }>();
  /** Times of the alarms of ten minutes, newest first. */
  readonly #recent: number[] = [];
  readonly #config: AlarmsConfig['levels'];
  readonly #now: number;

  constructor(levels: AlarmsConfig['levels'], now: number) {
    this.#config = levels;
    this.#now = now;
  }

  add(row: Counted): void {
    const wrong = row.handling === 'false';
    const closed = wrong || row.handling === 'closed';
    this.alarms += 1;
    this.#open += row.closed_at === null ? 1 : 0;
    this.#false += wrong ? 1 : 0;
    this.#closed += closed ? 1 : 0;
    this.#addToLevel(row);
    const category = entryOf(this.#categories, row.category, () => ({ alarms: 0, events: 0 }));
    category.alarms += 1;
    category.events += row.count;
    if (row.device !== '') {
      const device = entryOf(this.#devices, row.device, () => ({
        name: row.device_name,
        alarms: 0,
        events: 0,
        false: 0,
        closed: 0,
      }));
      device.alarms += 1;
      device.events += row.count;
      device.false += wrong ? 1 : 0;
      device.closed += closed ? 1 : 0;
    }
    if (row.count >= CHATTERING.events && row.last_at - row.raised_at <= CHATTERING.everyMs * (row.count - 1)) {
      const { device, device_name: name, category: of } = row;
      entryOf(this.#chattering, `${device}\n${of}`, () => ({ device, name, category: of, count: 0 })).count +=
        row.count;
    }
    this.#recent.push(row.raised_at);
    while ((this.#recent[0] ?? 0) - row.raised_at >= FLOOD_MS) this.#recent.shift();
    this.#busiest = Math.max(this.#busiest, this.#recent.length);
  }

  #addToLevel({ level, handling, raised_at, answered_ms, closed_at, escalations }: Counted): void {
    const tally = entryOf(this.#levels, level, emptyLevel);
    tally.alarms += 1;
    tally.escalated += escalations > 0 ? 1 : 0;
    if (answered_ms !== null) tally.acknowledge.push(answered_ms);
    // A clock that was stepped back in between measured nothing.
    if (handling === 'closed' && closed_at !== null && closed_at >= raised_at) tally.close.push(closed_at - raised_at);
    const within = this.#config[level]?.close;
    if (within === undefined || handling === 'merged') return;
    const until = closed_at ?? this.#now;
    if (closed_at === null && until - raised_at <= within) return; // still has time
    tally.known += 1;
    tally.kept += until - raised_at <= within ? 1 : 0;
  }

  figures(): Figures {
    const devices = [...this.#devices]
      .map(([device, { closed, ...tally }]) => ({ closed, device, ...tally, falseRate: share(tally.false, closed) }))
      .sort((a, b) => b.alarms - a.alarms || (a.device < b.device ? -1 : 1));
    const told = ({ closed: _, ...figures }: (typeof devices)[number]): DeviceFigures => figures;
    const all = [...this.#levels.values()];
    const sum = (of: (tally: LevelTally) => number) => all.reduce((total, tally) => total + of(tally), 0);
    return {
      alarms: this.alarms,
      open: this.#open,
      acknowledge: percentiles(all.flatMap(({ acknowledge }) => acknowledge)),
      close: percentiles(all.flatMap(({ close }) => close)),
      onTime: share(
        sum(({ kept }) => kept),
        sum(({ known }) => known),
      ),
      escalated: sum(({ escalated }) => escalated),
      levels: ([1, 2, 3, 4] as const).map((level) => {
        const tally = this.#levels.get(level) ?? emptyLevel();
        return {
          level,
          alarms: tally.alarms,
          acknowledge: percentiles(tally.acknowledge),
          close: percentiles(tally.close),
          onTime: share(tally.kept, tally.known),
          escalated: tally.escalated,
        };
      }),
      falseRate: share(this.#false, this.#closed),
      categories: [...this.#categories]
        .map(([category, tally]) => ({ category, ...tally }))
        .sort((a, b) => b.alarms - a.alarms || (a.category < b.category ? -1 : 1)),
      top: devices.slice(0, TOP).map(told),
      mostFalse: devices
        .filter(({ closed, ...device }) => closed >= 3 && device.false > 0)
        .sort((a, b) => (b.falseRate ?? 0) - (a.falseRate ?? 0))
        .slice(0, TOP)
        .map(told),
      chattering: [...this.#chattering.values()].sort((a, b) => b.count - a.count).slice(0, TOP),
      busiestTenMinutes: this.#busiest,
    };
  }
}

const emptyLevel = (): LevelTally => ({ alarms: 0, escalated: 0, kept: 0, known: 0, acknowledge: [], close: [] });

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** A percentile is the smallest value that at least that share of the values does not exceed. */
function percentiles(values: number[]): Percentiles {
  const sorted = values.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? null;
  return { p50: at(0.5), p95: at(0.95), measured: sorted.length };
}

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
