import { V7Generator } from 'uuidv7';
import type { Clock } from './clock.ts';

/** Makes ids that sort by time and are unique across boxes (UUID version 7, RFC 9562 §5.7). */
export type NewId = () => string;

/**
 * @param clock its wall time goes into the id; when it steps back the generator keeps counting up, so ids of one
 *   process always sort in the order they were made.
 */
export function idSource(clock: Clock): NewId {
  const generator = new V7Generator();
  let last = 0;
  return () => {
    last = Math.max(last, clock.wall());
    return generator.generateOrAbortCore(last, 10_000)?.toString() ?? generator.generate().toString();
  };
}
