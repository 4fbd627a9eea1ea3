/**
 * Times as devices write them. A device time is believed when it lies between 2020 and one day ahead of the gateway's
 * own clock (and the gateway's own clock is itself past 2020): terminals without a battery wake up in 1970, some in 2099.
 */

export const TIME_FORMATS = ['datetime', 'epoch-seconds', 'epoch-milliseconds'] as const;
export type TimeFormat = (typeof TIME_FORMATS)[number];

const EARLIEST = Date.UTC(2020, 0, 1);
const DAY = 86_400_000;

// 2026-04-10 09:43:25 · 2017/12/18 16:45:30.003 · 2026-04-10T09:43:25.123456789+08:00 · …Z
const DATETIME =
  /^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|z|[+-]\d{2}:?\d{2})?\s*$/;

export const isBelievable = (time: number, now: number): boolean =>
  time >= EARLIEST && (now < EARLIEST || time <= now + DAY);

/**
 * @param zone IANA name, for a `datetime` that does not carry its own offset
 * @returns ms since the epoch, or `null` when the value is not a time
 */
export function parseTime(value: unknown, format: TimeFormat, zone: string): number | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  if (format === 'datetime') return typeof value === 'string' && value.length <= 64 ? parseDateTime(value, zone) : null;
  const number = typeof value === 'number' ? value : value.trim() === '' ? Number.NaN : Number(value);
  // `+ 0`: what rounds to -0 is 0, which is how it comes back from the journal.
  const ms = Math.round(format === 'epoch-seconds' ? number * 1000 : number) + 0;
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? ms : null;
}

function parseDateTime(text: string, zone: string): number | null {
  const found = DATETIME.exec(text);
  if (found === null) return null;
  // Spelled out: this runs for every message that tells a time.
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  const [hour, minute, second] = [Number(found[4]), Number(found[5]), Number(found[6] ?? 0)];
  // `0000-00-00` is what cameras send for "I have no clock".
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) return null;
  const ms = Number((found[7] ?? '0').slice(0, 3).padEnd(3, '0'));
  const asUtc = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  const offset = found[8];
  if (offset === undefined) return localToUtc(asUtc, zone);
  if (offset === 'Z' || offset === 'z') return asUtc;
  const digits = offset.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return asUtc - (offset.startsWith('-') ? -minutes : minutes) * 60_000;
}

/** The instant a local time names; of two (clock set back) the earlier offset, of none (set forward) the one before. */
function localToUtc(local: number, zone: string): number {
  const guess = local - zoneOffset(zone, local, 1);
  return local - zoneOffset(zone, guess);
}

/** Zones change their offset on quarter hours only, so one answer serves fifteen minutes. */
const QUARTER = 900_000;
const offsets = new Map<string, number>();
const formats = new Map<string, Intl.DateTimeFormat>();
/** The newest answers: devices of one site speak of the same quarter hour. */
const NEVER = { zone: '', quarter: Number.NaN, offset: 0 };
const newest: [typeof NEVER, typeof NEVER] = [NEVER, NEVER];

/**
 * Offset of a zone from UTC at an instant, in ms, east positive.
 * @param slot where the answer is remembered: a local time taken for an instant lies hours beside the true ones
 */
function zoneOffset(zone: string, at: number, slot: 0 | 1 = 0): number {
  if (zone === 'UTC' || zone === 'utc') return 0;
  const quarter = Math.floor(at / QUARTER);
  const last = newest[slot];
  if (last.quarter === quarter && last.zone === zone) return last.offset;
  const key = `${zone}|${quarter}`;
  const known = offsets.get(key);
  if (known !== undefined) {
    newest[slot] = { zone, quarter, offset: known };
    return known;
  }
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const start = quarter * QUARTER;
  const part = Object.fromEntries(format.formatToParts(start).map(({ type, value }) => [type, value]));
  const year = part['era'] === 'BC' ? 1 - Number(part['year']) : Number(part['year']);
  const local = Date.UTC(
    year,
    Number(part['month']) - 1,
    Number(part['day']),
    Number(part['hour']),
    Number(part['minute']),
    Number(part['second']),
  );
  const offset = local - start;
  if (offsets.size >= 1_000) offsets.clear();
  offsets.set(key, offset);
  return offset;
}

/** An instant as a device in `zone` would write it: `YYYY-MM-DD HH:mm:ss`, separators as given by `pattern`. */
export function formatTime(
  at: number,
  pattern: 'datetime' | 'datetime-T' | 'datetime-slash' | 'iso',
  zone: string,
): string {
  const utc = new Date(at).toISOString();
  if (pattern === 'iso') return utc;
  const local = new Date(at + zoneOffset(zone, at)).toISOString();
  const [date = '', time = ''] = [local.slice(0, 10), local.slice(11, 19)];
  if (pattern === 'datetime-T') return `${date}T${time}`;
  if (pattern === 'datetime-slash') return `${date.replaceAll('-', '/')} ${local.slice(11, 23)}`;
  return `${date} ${time}`;
}

const zones = new Map<string, boolean>();

/** Whether this box knows the IANA zone. */
export function isZone(zone: string): boolean {
  let known = zones.get(zone);
  if (known === undefined) {
    try {
      new Intl.DateTimeFormat('en', { timeZone: zone });
      known = true;
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      known = false;
    }
    if (zones.size < 1_000) zones.set(zone, known);
  }
  return known;
}
