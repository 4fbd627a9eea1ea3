import { randomFillSync } from 'node:crypto';
import { V7Generator } from 'uuidv7';
import type { Clock } from './clock.ts';

/** Makes ids that sort by time and are unique across boxes (UUID version 7, RFC 9562 §5.7). */
export type NewId = () => string;

/**
 * @param clock its wall time goes into the id; when it steps back the generator keeps counting up, so ids of one
 *   process always sort in the order they were made.
 */
export function idSource(clock: Clock): NewId {
  const generator = new V7Generator({ nextUint32: randomWords() });
  let last = 0;
  return () => {
    last = Math.max(last, clock.wall());
    return generator.generateOrAbortCore(last, 10_000)?.toString() ?? generator.generate().toString();
  };
}

/** Words asked of the system at once: asking costs as much as a thousand of them. */
const WORDS = 1_024;

function randomWords(): () => number {
  const words = new Uint32Array(WORDS);
  let next = WORDS;
  return () => {
    if (next === WORDS) {
      randomFillSync(words);
      next = 0;
    }
    next += 1;
    return words[next - 1] as number;
  };
}
