import type { Profile } from './compile.ts';
import { parseJson, textOf } from './json.ts';
import { wellFormed } from './text.ts';

/** UTF-16 units of a message kept with its journal entry. */
export const RAW_KEPT = 8_192;
/** A string longer than this is a picture nobody declared: only its length is kept. */
const LONG_STRING = 1_024;

const REDACTED = '[redacted]';

/** What of a decoded message is stored: without the keys its profile redacts, and without anything picture-sized. */
export function keptText(profile: Profile, text: string, parsed: unknown): string {
  const changed = typeof parsed === 'object' && parsed !== null && redactIn(parsed, profile.program.redact);
  const kept = changed ? JSON.stringify(parsed) : text;
  return kept.length <= RAW_KEPT ? kept : wellFormed(`${kept.slice(0, RAW_KEPT)}…`);
}

/**
 * The bytes of a message nobody could decode, as they may be stored: JSON loses what the profile redacts, and so does what
 * was meant to be JSON (another encoding, one comma too many), where names and values can still be told apart.
 */
export function keptBytes(profile: Profile, payload: Buffer): Buffer {
  const names = profile.program.redact;
  let parsed: unknown;
  try {
    parsed = parseJson(textOf(payload));
  } catch {
    return redactedText(payload, names);
  }
  if (typeof parsed !== 'object' || parsed === null || !redactIn(parsed, names)) return payload;
  return Buffer.from(JSON.stringify(parsed));
}

/** A name in quotes and what stands behind it, up to where the next would begin; also when its own end is missing. */
const NAMED = /"((?:[^"\\]|\\.){1,64})"(\s{0,8}:\s{0,8})("(?:[^"\\]|\\.)*"?|[^,}\]"]*)/gs;
/** Base64, its slashes escaped or not: nothing but a picture is so long. */
const UNBROKEN = new RegExp(`[A-Za-z0-9+/=_\\\\-]{${LONG_STRING + 1},}`, 'g');

/** Byte for byte but for what is taken out, whatever the encoding. */
function redactedText(payload: Buffer, names: ReadonlySet<string>): Buffer {
  const text = payload.toString('latin1');
  const kept = text
    .replace(NAMED, (all, name: string, colon: string, value: string) =>
      names.has(name) && value !== '' && value !== 'null' && value !== '""' ? `"${name}"${colon}"${REDACTED}"` : all,
    )
    .replace(UNBROKEN, (run) => `[${run.length} characters]`);
  return kept === text ? payload : Buffer.from(kept, 'latin1');
}

/** Changes `value` in place (it is ours: fresh from the parser, depth bounded there). Says whether anything changed. */
function redactIn(value: object, names: ReadonlySet<string>): boolean {
  let changed = false;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(value)) {
    const part = holder[key];
    if (names.has(key)) {
      if (part === null || part === '' || part === REDACTED) continue;
      define(holder, key, REDACTED);
      changed = true;
    } else if (typeof part === 'string') {
      if (part.length <= LONG_STRING) continue;
      define(holder, key, `[${part.length} characters]`);
      changed = true;
    } else if (typeof part === 'object' && part !== null && redactIn(part, names)) {
      changed = true;
    }
  }
  return changed;
}

/** Assigning to a key named `__proto__` would change the prototype instead of the key. */
function define(holder: Record<string, unknown>, key: string, value: string): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}
