import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBlank } from '../../src/devices/path.ts';
import { clean } from '../../src/devices/text.ts';

/** What devices send, and what they should not. */
const said = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(' ', 'a', '7', '张', '\u3000', '\u200b', '\u202e', '\n', '\ud800', '\u007f') }),
);

test('text that is plain comes out as text that is looked at twice does', () => {
  fc.assert(
    fc.property(said, fc.integer({ min: 1, max: 300 }), (text, max) => {
      // A character that nobody sees at the end has to be taken off, whatever stands before it.
      if (text.length < max) expect(clean(text, max)).toBe(clean(`${text}\u200b`, max));
      else expect(clean(text, max).length).toBeLessThanOrEqual(max);
    }),
    { numRuns: 2_000 },
  );
});

test('blank is what nothing is left of when it is trimmed', () => {
  fc.assert(
    fc.property(said, (text) => {
      expect(isBlank(text)).toBe(text.trim() === '');
    }),
    { numRuns: 2_000 },
  );
});
