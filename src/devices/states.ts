import type { Change, Draft, Entry } from '../journal/entry.ts';
import type { Clock, MonoMs } from '../kernel/clock.ts';
import type { Device, DeviceState } from './device.ts';
import type { DeviceReport } from './event.ts';

/** A battery is low from here down, and well again from here up: a reading that trembles is one piece of news. */
const BATTERY = { low: 20, well: 30 };
/** A device's clock is wrong from here on, and right again below: ms. */
const CLOCK = { wrong: 120_000, right: 60_000, certainly: 86_400_000 };
/** A reading may be old because the message was long on its way; this many in a row are not. */
const WRONG_READINGS = 2;
/** News that was handed out and has not turned up in the journal by now is handed out again, ms. */
const LOST_AFTER_MS = 10_000;
/** `last_seen` alone is written this seldom: a heartbeat a minute of every door would wear out an SD card, ms. */
const SEEN_APART_MS = 10 * 60_000;

/** What is worth a journal entry when it changes. */
export interface Facts {
  readonly online: boolean | null;
  readonly batteryLow: boolean;
  readonly firmware: string | null;
  readonly clockWrong: boolean;
}
const FACTS = ['online', 'batteryLow', 'firmware', 'clockWrong'] as const;
const UNKNOWN: Facts = { online: null, batteryLow: false, firmware: null, clockWrong: false };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Held {
  readonly state: Mutable<DeviceState>;
  /** When it was last heard in this process. */
  heard: MonoMs | null;
  /** Since when somebody has been saying that it is offline. */
  saidOffline: MonoMs | null;
  wrongReadings: number;
  /** As the journal has it. */
  told: Facts;
  proposed: { facts: Facts; at: number } | null;
  /** As whoever wants to know has been told. */
  announced: Facts;
  /** As the table has it. */
  written: { lastSeen: number; rest: string } | null;
}

export interface StateRow {
  readonly id: string;
  readonly online: number | null;
  readonly since: number | null;
  readonly last_seen: number | null;
  readonly battery: number | null;
  readonly firmware: string | null;
  readonly address: string | null;
  readonly clock_offset: number | null;
  readonly told: string;
}

/**
 * How every device is. Moves in memory; what matters becomes a `device.state` entry in the transaction of whoever
 * noticed it, and is offered again until the journal is seen to have it.
 */
export class States {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  /** Of whom something may have to be told or written: a flush looks at these and at nobody else. */
  readonly #touched = new Set<string>();
  readonly #changed: (id: string) => void;

  /** @param changed called when facts of a device changed, or it was said to be offline */
  constructor(rows: readonly StateRow[], clock: Clock, changed: (id: string) => void) {
    this.#clock = clock;
    this.#changed = changed;
    for (const row of rows) {
      this.#held.set(row.id, heldOf(row));
      this.#touched.add(row.id);
    }
  }

  /** A registered device without a past. */
  add(id: string): void {
    if (!this.#held.has(id)) this.#held.set(id, heldOf(null));
  }

  remove(id: string): void {
    this.#held.delete(id);
    this.#touched.delete(id);
  }

  get(id: string): DeviceState {
    return this.#held.get(id)?.state ?? heldOf(null).state;
  }

  /** Monotonic time of the last sign of life in this process. */
  heard(id: string): MonoMs | null {
    return this.#held.get(id)?.heard ?? null;
  }

  /** Monotonic time since which it has been said to be offline without a sign of life since. */
  saidOffline(id: string): MonoMs | null {
    return this.#held.get(id)?.saidOffline ?? null;
  }

  /** What a message told; any message that does not say otherwise is a sign of life. @param at gateway wall, ms */
  note(device: Device, at: number, report: DeviceReport): Draft[] {
    const held = this.#held.get(device.id);
    if (held === undefined) return [];
    this.#touched.add(device.id);
    const { state } = held;
    if (report.online !== false) {
      state.lastSeen = at;
      held.heard = this.#clock.mono();
      held.saidOffline = null;
      setOnline(state, true, at);
    } else if (held.saidOffline === null && state.online !== false) {
      held.saidOffline = this.#clock.mono();
      this.#changed(device.id);
    }
    if (report.battery !== undefined) {
      state.battery = report.battery;
      if (report.battery <= BATTERY.low) state.batteryLow = true;
      else if (report.battery >= BATTERY.well) state.batteryLow = false;
    }
    if (report.firmware !== undefined) state.firmware = report.firmware;
    if (report.address !== undefined) state.address = report.address;
    if (report.clock !== undefined) this.#judgeClock(held, report.clock - at);
    return this.#news(device, held);
  }

  /** Its silence is established: by time, or by a word that it did not take back. @param at gateway wall, ms */
  silent(device: Device, at: number): Draft[] {
    const held = this.#held.get(device.id);
    if (held === undefined) return [];
    this.#touched.add(device.id);
    setOnline(held.state, false, at);
    return this.#news(device, held);
  }

  /** Whose news, or whose row, may be behind. */
  touched(): string[] {
    return [...this.#touched];
  }

  /** News that was handed out and got lost (the disk failed), or that nobody has carried yet. */
  untold(device: Device): Draft[] {
    const held = this.#held.get(device.id);
    return held === undefined ? [] : this.#news(device, held);
  }

  /** What the journal has is not offered again. */
  confirm(entry: Entry): void {
    const held = entry.subject === null ? undefined : this.#held.get(entry.subject);
    const facts = (entry.body as { facts?: Facts } | null)?.facts;
    if (held === undefined || facts === undefined) return;
    held.told = facts;
    held.proposed = null;
    if (entry.subject !== null) this.#touched.add(entry.subject);
  }

  /** Rows to be written. @param all also those of which only `lastSeen` moved a little */
  unwritten(all: boolean): { id: string; change: Change; done: () => void }[] {
    return [...this.#touched].flatMap((id) => {
      const held = this.#held.get(id);
      if (held === undefined) return [];
      const { lastSeen, ...state } = held.state;
      const rest = JSON.stringify([state, held.told]);
      const moved = Math.abs((lastSeen ?? 0) - (held.written?.lastSeen ?? 0));
      const fresh = held.written === null && lastSeen === null;
      const behind = !fresh && (rest !== held.written?.rest || moved > 0);
      if (!behind) {
        if (same(held.state, held.told)) this.#touched.delete(id);
        return [];
      }
      if (rest === held.written?.rest && !all && moved < SEEN_APART_MS) return [];
      const done = (): void => {
        held.written = { lastSeen: lastSeen ?? 0, rest };
      };
      return [{ id, change: rowChange(id, held), done }];
    });
  }

  #judgeClock(held: Held, offset: number): void {
    // A box that does not know the time itself judges nobody's clock.
    if (this.#clock.state() !== 'synced') return;
    const { state } = held;
    const off = Math.abs(offset);
    state.clockOffset = offset;
    held.wrongReadings = off > CLOCK.wrong ? held.wrongReadings + 1 : 0;
    if (off > CLOCK.certainly || held.wrongReadings >= WRONG_READINGS) state.clockWrong = true;
    else if (off < CLOCK.right) state.clockWrong = false;
  }

  #news(device: Device, held: Held): Draft[] {
    const { state, told, proposed } = held;
    if (!same(state, held.announced)) {
      held.announced = factsOf(state);
      this.#changed(device.id);
    }
    if (same(state, told)) {
      held.proposed = null;
      return [];
    }
    const now = this.#clock.mono();
    if (proposed !== null && same(state, proposed.facts) && now - proposed.at < LOST_AFTER_MS) return [];
    const facts = factsOf(state);
    held.proposed = { facts, at: now };
    const changed = Object.fromEntries(FACTS.filter((key) => facts[key] !== told[key]).map((key) => [key, facts[key]]));
    const { battery, clockOffset, lastSeen } = state;
    return [
      {
        kind: 'device.state',
        actor: `device:${device.id}`,
        subject: device.id,
        lane: 2,
        body: { name: device.name, place: device.place, changed, facts, battery, clockOffset, lastSeen },
      },
    ];
  }
}

function setOnline(state: Mutable<DeviceState>, online: boolean, at: number): void {
  if (state.online === online) return;
  state.online = online;
  state.since = at;
}

const same = (a: Facts, b: Facts): boolean =>
  a.online === b.online && a.batteryLow === b.batteryLow && a.firmware === b.firmware && a.clockWrong === b.clockWrong;

const factsOf = ({ online, batteryLow, firmware, clockWrong }: Facts): Facts => ({
  online,
  batteryLow,
  firmware,
  clockWrong,
});

function heldOf(row: StateRow | null): Held {
  const told = row === null ? UNKNOWN : { ...UNKNOWN, ...(JSON.parse(row.told) as Partial<Facts>) };
  const state: Mutable<DeviceState> = {
    online: row === null || row.online === null ? null : row.online === 1,
    since: row?.since ?? null,
    lastSeen: row?.last_seen ?? null,
    battery: row?.battery ?? null,
    batteryLow: told.batteryLow,
    firmware: row?.firmware ?? null,
    address: row?.address ?? null,
    clockOffset: row?.clock_offset ?? null,
    clockWrong: told.clockWrong,
  };
  const { lastSeen, ...rest } = state;
  return {
    state,
    heard: null,
    saidOffline: null,
    wrongReadings: 0,
    told,
    proposed: null,
    announced: factsOf(state),
    written: row === null ? null : { lastSeen: lastSeen ?? 0, rest: JSON.stringify([rest, told]) },
  };
}

function rowChange(id: string, { state, told }: Held): Change {
  const { online, since, lastSeen, battery, firmware, address, clockOffset } = state;
  return {
    sql: 'INSERT OR REPLACE INTO device_states (id, online, since, last_seen, battery, firmware, address, clock_offset, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    params: [
      id,
      online === null ? null : Number(online),
      whole(since),
      whole(lastSeen),
      whole(battery),
      firmware,
      address,
      whole(clockOffset),
      JSON.stringify(told),
    ],
  };
}

const whole = (value: number | null): number | null => (value === null ? null : Math.round(value));
