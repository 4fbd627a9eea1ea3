/**
 * How often two different people are taken for one, by threshold: measured with the default embedding on labelled photos
 * (.0013 % at .50; docs/decisions/107-thresholds-and-rates.md), straight lines in the logarithm between. Strangers of a site look
 * more alike than strangers of a test (families): an order of magnitude, not a promise.
 */
const MEASURED: readonly (readonly [threshold: number, rate: number])[] = [
  [0.3, 1e-2],
  [0.4, 1e-3],
  [0.45, 1e-4],
  [0.5, 1.3e-5],
];

/** What measuring here cannot tell from nothing. */
const LEAST = 1e-6;

/** Of one comparison, 0–1; never less than one in a million, which is as far as was measured. */
export function falseAcceptRate(threshold: number): number {
  const next = MEASURED.findIndex(([at]) => at >= threshold);
  const right = Math.max(1, next === -1 ? MEASURED.length - 1 : next);
  const [from, to] = [MEASURED[right - 1], MEASURED[right]] as [readonly [number, number], readonly [number, number]];
  const slope = Math.log(to[1] / from[1]) / (to[0] - from[0]);
  return Math.min(1, Math.max(LEAST, from[1] * Math.exp(slope * (threshold - from[0]))));
}

/** That a stranger who is looked at once is taken for anybody of `people`: false accepts grow with the number of residents. */
export const falseAcceptOfAnybody = (threshold: number, people: number): number =>
  -Math.expm1(people * Math.log1p(-falseAcceptRate(threshold)));
