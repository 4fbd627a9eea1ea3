/** Characters of a device's string that are kept (see `Detail` in event.ts). */
export const MAX_TEXT = 256;

// Control characters, and the invisible ones that reorder or hide what a guard reads on the page.
const UNREADABLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/gu;
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** Nothing in it has to go, and no blank has to be looked for: numbers, ids, names and words as nearly all devices send them. */
const PLAIN = /^[!-~\u4e00-\u9fff]*$/;

/**
 * A device's string as it may be stored and shown: one line, readable characters only, well-formed, trimmed, at most
 * `max` UTF-16 units. Escaping for HTML is the page's business.
 */
export function clean(text: string, max = MAX_TEXT): string {
  if (text.length <= max && PLAIN.test(text)) return text;
  const cut = text.length > max * 2 ? text.slice(0, max * 2) : text;
  const line = cut.replace(UNREADABLE, ' ').trim();
  return wellFormed(line.length > max ? line.slice(0, max) : line);
}

/** Lone surrogates (from `\ud800` in JSON, or a cut through a pair) cannot be stored as UTF-8: they become U+FFFD. */
export const wellFormed = (text: string): string => text.replace(LONE_SURROGATE, '\ufffd');
