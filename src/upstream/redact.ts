/**
 * Keys that may carry a picture, a biometric, an identity number or who a resident is and how to reach them, whatever
 * room or vendor wrote them.
 */
const PRIVATE_KEY =
  /^(pic|picture|photo|image|scene|snapshot|feature|template|embedding|face|base64|id_?card(no|num|number)?|id_?(no|num|number)|certificate(no)?|tel(num|no)?|phone|mobile|contact|reporter|secret(hash)?|password|token|raw)$/i;
/** A resident identity number (GB 11643): 17 digits and a check digit or X. */
const IDENTITY_NUMBER = /(?<!\d)\d{17}[\dXx](?!\d)/g;
const LONGEST_TEXT = 1_024;
const DEEPEST = 6;
const WIDEST = 200;

/**
 * What of a value may leave the box: no pictures, no identity numbers, nothing without a bound. The profiles redact
 * first (design §5); this is the second lock on the same door, for everything that goes up.
 */
export function presentable(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return presentableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return null;
  if (Array.isArray(value)) return value.slice(0, WIDEST).map((item) => presentable(item, depth + 1));
  const shown: Record<string, unknown> = {};
  let width = 0;
  for (const [key, item] of Object.entries(value)) {
    if (PRIVATE_KEY.test(key)) continue;
    width += 1;
    if (width > WIDEST) break;
    shown[key] = presentable(item, depth + 1);
  }
  return shown;
}

function presentableText(text: string): string {
  if (text.length < 18) return text;
  if (text.startsWith('data:')) return '';
  return text.slice(0, LONGEST_TEXT).replace(IDENTITY_NUMBER, (digits) => `${digits.slice(0, 6)}************`);
}
