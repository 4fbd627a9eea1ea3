import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

/** Milliseconds since 1970-01-01T00:00Z as this box believes it. May step in both directions. */
export type WallMs = number & { readonly __unit: 'wall-ms' };
/** Milliseconds since this process started. Never steps back; meaningless in another process. */
export type MonoMs = number & { readonly __unit: 'mono-ms' };
/** Whether the wall clock has been set from a trusted source since the box started. */
export type ClockState = 'synced' | 'unsynced';

export interface Cancel {
  /** Safe to call twice, and after the timer has fired. */
  cancel(): void;
}

/**
 * Time from outside. Wall time is for people and for the record; every wait is measured in monotonic time.
 * Deadlines that must survive a restart are rows with a wall `due`, re-read at start (see docs/decisions).
 */
export interface Clock {
  /** One per process start; ties monotonic offsets in the journal to the process that took them. */
  readonly boot: string;
  wall(): WallMs;
  mono(): MonoMs;
  state(): ClockState;
  /** Calls `fn` once after `ms` of monotonic time. Never keeps the process alive by itself. */
  after(ms: number, fn: () => void): Cancel;
  /** Calls `fn` every `ms` of monotonic time. Never keeps the process alive by itself. */
  every(ms: number, fn: () => void): Cancel;
}

export const wallMs = (ms: number): WallMs => ms as WallMs;
export const monoMs = (ms: number): MonoMs => ms as MonoMs;

/** `wall` as ISO 8601 in UTC with milliseconds; the form of every time on the wire. */
export const iso = (wall: number): string => new Date(wall).toISOString();

/** systemd-timesyncd, chrony and ntpd leave one of these behind once the clock has been set. */
const SYNC_MARKS = ['/run/systemd/timesync/synchronized', '/run/chrony/chronyd.pid'];

export class SystemClock implements Clock {
  readonly boot: string = randomUUID();
  readonly #builtAt: number;
  #synced: ClockState = 'unsynced';
  #checkedAt = Number.NEGATIVE_INFINITY;

  /** @param builtAt a wall time that is certainly past; a clock before it is wrong whatever the system says. */
  constructor(builtAt = Date.UTC(2026, 0, 1)) {
    this.#builtAt = builtAt;
  }

  wall(): WallMs {
    return Date.now() as WallMs;
  }

  mono(): MonoMs {
    return performance.now() as MonoMs;
  }

  state(): ClockState {
    if (this.mono() - this.#checkedAt > 10_000) {
      this.#checkedAt = this.mono();
      this.#synced = this.wall() > this.#builtAt && clockWasSet() ? 'synced' : 'unsynced';
    }
    return this.#synced;
  }

  after(ms: number, fn: () => void): Cancel {
    const timer = setTimeout(fn, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  }

  every(ms: number, fn: () => void): Cancel {
    const timer = setInterval(fn, ms);
    timer.unref();
    return { cancel: () => clearInterval(timer) };
  }
}

function clockWasSet(): boolean {
  if (SYNC_MARKS.some((mark) => existsSync(mark))) return true;
  try {
    // A virtual machine or container takes its clock from the host and runs no time service of its own.
    return /\bhypervisor\b/.test(readFileSync('/proc/cpuinfo', 'utf8').slice(0, 20_000));
  } catch {
    return false;
  }
}

/** A clock that moves only when told to; timers run in order of their due time while it is moved. */
export class SimulatedClock implements Clock {
  readonly boot: string;
  #wall: number;
  #mono = 0;
  #state: ClockState = 'synced';
  #next = 1;
  readonly #timers = new Map<number, { due: number; every: number | null; fn: () => void }>();

  constructor(wall = Date.UTC(2026, 5, 1, 4), boot = 'simulated-boot') {
    this.#wall = wall;
    this.boot = boot;
  }

  wall(): WallMs {
    return this.#wall as WallMs;
  }

  mono(): MonoMs {
    return this.#mono as MonoMs;
  }

  state(): ClockState {
    return this.#state;
  }

  setState(state: ClockState): void {
    this.#state = state;
  }

  /** The wall clock is stepped (NTP, a person, a dead RTC battery); monotonic time does not move. */
  stepWall(to: number): void {
    this.#wall = to;
  }

  after(ms: number, fn: () => void): Cancel {
    return this.#add(ms, null, fn);
  }

  every(ms: number, fn: () => void): Cancel {
    return this.#add(ms, ms, fn);
  }

  /** Moves both clocks by `ms`, firing what falls due on the way. */
  advance(ms: number): void {
    const until = this.#mono + ms;
    for (;;) {
      let first: [number, { due: number; every: number | null; fn: () => void }] | undefined;
      for (const entry of this.#timers) {
        if (entry[1].due <= until && (first === undefined || entry[1].due < first[1].due)) first = entry;
      }
      if (first === undefined) break;
      const [key, timer] = first;
      this.#wall += timer.due - this.#mono;
      this.#mono = timer.due;
      if (timer.every === null) this.#timers.delete(key);
      else timer.due += timer.every;
      timer.fn();
    }
    this.#wall += until - this.#mono;
    this.#mono = until;
  }

  #add(ms: number, every: number | null, fn: () => void): Cancel {
    const key = this.#next++;
    this.#timers.set(key, { due: this.#mono + ms, every, fn });
    return { cancel: () => void this.#timers.delete(key) };
  }
}
