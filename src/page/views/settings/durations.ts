import { t } from '../../words/words.ts';
import type { Bound } from './types.ts';

export const UNITS = ['s', 'm', 'h', 'd'] as const;
export type Unit = (typeof UNITS)[number];
const MS: Record<Unit, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `5 分钟`, in the largest unit that leaves a whole number. */
export function lasting(ms: number): string {
  const unit = [...UNITS].reverse().find((one) => ms >= MS[one] && ms % MS[one] === 0) ?? 's';
  return `${ms / MS[unit]} ${t(`settings.unit_${unit}`)}`;
}

/** The same of a length as the file writes it, `5m`; what is none is said as it was written. */
export function lastingText(written: unknown): string {
  const [, number, unit] = /^(\d+)(s|m|h|d)$/.exec(String(written)) ?? [];
  return number === undefined ? String(written) : lasting(Number(number) * MS[unit as Unit]);
}

/** What may be filled in, as a sentence. */
export function allowedBy(bound: Bound | undefined): string {
  if (bound === undefined) return '';
  const shown = bound.kind === 'duration' ? lasting : String;
  const words = t('settings.allowed', { min: shown(bound.min), max: shown(bound.max) });
  return bound.optional === true ? `${words}${t('settings.mayBeEmpty')}` : words;
}
