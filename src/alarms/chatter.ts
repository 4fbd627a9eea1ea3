/** Repeats of one alarm entered in the journal within a minute before it counts as chattering. */
const FREE_PER_MINUTE = 20;
const MINUTE_MS = 60_000;
/** A chattering alarm is entered at most this often, ms. */
export const CHATTER_MS = 1_000;

/**
 * Keeps a chattering device from filling the journal with entries about its alarm. Nothing is lost by it: every message
 * has its own entry, the alarm's row counts each of them in the same commit, and the next entry tells the whole count.
 */
export class Chatter {
  readonly #alarms = new Map<string, { minute: number; entered: number; last: number }>();

  /** Whether a plain repeat deserves an entry now. @param mono ms of monotonic time */
  allows(alarm: string, mono: number): boolean {
    const known = this.#alarms.get(alarm);
    if (known === undefined || mono - known.minute >= MINUTE_MS) {
      this.#alarms.set(alarm, { minute: mono, entered: 1, last: mono });
      return true;
    }
    if (known.entered >= FREE_PER_MINUTE && mono - known.last < CHATTER_MS) return false;
    known.entered += 1;
    known.last = mono;
    return true;
  }

  forget(alarm: string): void {
    this.#alarms.delete(alarm);
  }
}
