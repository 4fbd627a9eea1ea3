import { isUtf8 } from 'node:buffer';
import { QuanweiError } from '../kernel/errors.ts';

/** Nesting deeper than this is no device message. Recursion later (redaction, templates) relies on the bound. */
export const MAX_DEPTH = 32;
/** Values in one message; a 4 MB packet of commas would otherwise hold the event loop for a quarter of a second. */
export const MAX_VALUES = 20_000;
/** From this many digits on an integer may not fit a double exactly. */
const LONG_DIGITS = 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** @throws QuanweiError UNDECODABLE when the bytes are not UTF-8 */
export function textOf(payload: Buffer): string {
  if (!isUtf8(payload)) throw new QuanweiError('UNDECODABLE', 'the payload is not UTF-8 text');
  const text = payload.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/**
 * `JSON.parse` for text from outside: depth and number of values are bounded by a scan beforehand, and integers too long
 * for a double come out as strings of their digits (record and serial numbers are 64-bit in some terminals).
 * @throws QuanweiError UNDECODABLE
 */
export function parseJson(text: string): unknown {
  const guarded = isHarmless(text) ? text : scan(text);
  try {
    return JSON.parse(guarded);
  } catch (cause) {
    throw new QuanweiError('UNDECODABLE', 'the payload is not JSON', { cause });
  }
}

/** Whether the scan could find nothing, seen with less work: nearly every device message. */
function isHarmless(text: string): boolean {
  if (text.length > MAX_VALUES || hasLongRun(text)) return false;
  let openings = 0;
  for (let at = text.indexOf('{'); at !== -1 && openings <= MAX_DEPTH; at = text.indexOf('{', at + 1)) openings += 1;
  for (let at = text.indexOf('['); at !== -1 && openings <= MAX_DEPTH; at = text.indexOf('[', at + 1)) openings += 1;
  return openings <= MAX_DEPTH;
}

/** Whether as many digits stand together as may be too many: such a run stands on one of every so many places. */
function hasLongRun(text: string): boolean {
  for (let at = LONG_DIGITS - 1; at < text.length; at += LONG_DIGITS) {
    let [from, to] = [at, at];
    while (to - from < LONG_DIGITS && isDigit(text.charCodeAt(to))) to += 1;
    if (to === at) continue;
    while (to - from < LONG_DIGITS && isDigit(text.charCodeAt(from - 1))) from -= 1;
    if (to - from >= LONG_DIGITS) return true;
  }
  return false;
}

/** Walks the text once, jumping over strings; returns it with long integers quoted. Need not recognise bad JSON. */
function scan(text: string): string {
  let depth = 0;
  let values = 0;
  let copied = 0;
  let out = '';
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) {
      at = endOfString(text, at);
    } else if (c === 0x7b || c === 0x5b) {
      depth += 1;
      if (depth > MAX_DEPTH) throw new QuanweiError('UNDECODABLE', `JSON nested deeper than ${MAX_DEPTH}`);
    } else if (c === 0x7d || c === 0x5d) {
      depth -= 1;
    } else if (c === 0x2c) {
      values += 1;
      if (values > MAX_VALUES) throw new QuanweiError('UNDECODABLE', `JSON with more than ${MAX_VALUES} values`);
    } else if (isDigit(c) || c === 0x2d) {
      const end = endOfNumber(text, at);
      if (isLongInteger(text, at, end)) {
        out += `${text.slice(copied, at)}"${text.slice(at, end)}"`;
        copied = end;
      }
      at = end - 1;
    }
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** Index of the closing quote, or the end of the text. Linear: every backslash run is counted once. */
function endOfString(text: string, open: number): number {
  let close = open;
  for (;;) {
    close = text.indexOf('"', close + 1);
    if (close === -1) return text.length;
    let slashes = 0;
    while (text.charCodeAt(close - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return close;
  }
}

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

function endOfNumber(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at++) {
    const c = text.charCodeAt(at);
    // digits . e E + -
    if (!isDigit(c) && c !== 0x2e && c !== 0x65 && c !== 0x45 && c !== 0x2b && c !== 0x2d) break;
  }
  return at;
}

function isLongInteger(text: string, start: number, end: number): boolean {
  if (end - start < LONG_DIGITS) return false;
  const token = text.slice(start, end);
  // Only what JSON itself would accept, and only as a value: quoting must not turn bad JSON into good.
  if (!/^-?[1-9]\d+$/.test(token) || Number.isSafeInteger(Number(token))) return false;
  const next = text
    .slice(end, end + 64)
    .trimStart()
    .charCodeAt(0);
  return next !== 0x3a && next !== QUOTE;
}
