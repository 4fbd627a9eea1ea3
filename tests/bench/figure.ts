/** One measured figure; printed as one JSON object a line. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it was measured beside, in the same run; `null` where nothing comparable is installed or exists. */
  readonly peer: string | null;
  readonly peerValue: number | null;
  /** value / peerValue */
  readonly ratio: number | null;
}

export type Report = (figure: Figure) => void;

const round = (value: number): number => Number(value.toPrecision(4));

export function figure(name: string, value: number, unit: string, peer?: string, peerValue?: number): Figure {
  return {
    name,
    value: round(value),
    unit,
    peer: peer ?? null,
    peerValue: peerValue === undefined ? null : round(peerValue),
    ratio: peerValue === undefined || peerValue === 0 ? null : round(value / peerValue),
  };
}

/** @param p 0–100; nearest rank. `NaN` for nothing measured. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))] as number;
}

export const median = (values: readonly number[]): number => percentile(values, 50);
