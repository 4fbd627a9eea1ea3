import { z } from 'zod';

/** The small forms that `gateway.yaml` is written in. */

/** Ids go into topics, file names and metrics: letters, digits, `.`, `_`, `-`; starts with a letter or digit. */
export const Id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dot, dash and underscore only, at most 64');

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `60s`, `5m`, `24h`, `180d` → milliseconds. */
export const Duration = z
  .string()
  .regex(/^\d{1,7}(ms|s|m|h|d)$/, 'a duration such as 500ms, 60s, 5m, 24h or 180d')
  .transform((text) => {
    const unit = text.replace(/^\d+/, '') as keyof typeof DURATION_UNITS;
    return Number.parseInt(text, 10) * DURATION_UNITS[unit];
  });
/** The shortest way to write it: 300,000 → `5m`. @param ms whole milliseconds */
export function durationText(ms: number): string {
  const [unit, size] = Object.entries(DURATION_UNITS)
    .reverse()
    .find(([, one]) => ms >= one && ms % one === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}
export const duration = (fallback: string) => Duration.prefault(fallback);

const SIZE_UNITS = { kB: 1_000, MB: 1_000_000, GB: 1_000_000_000 } as const;
/** `256kB`, `500MB`, `2GB` → bytes. */
export const Size = z
  .string()
  .regex(/^\d{1,6}(kB|MB|GB)$/, 'a size such as 256kB, 500MB or 2GB')
  .transform((text) => Number.parseInt(text, 10) * SIZE_UNITS[text.replace(/^\d+/, '') as keyof typeof SIZE_UNITS]);
/** The shortest way to write it: 500,000,000 → `500MB`. @param bytes whole kilobytes */
export function sizeText(bytes: number): string {
  const [unit, size] = Object.entries(SIZE_UNITS)
    .reverse()
    .find(([, one]) => bytes >= one && bytes % one === 0) ?? ['kB', 1_000];
  return `${Math.round(bytes / size)}${unit}`;
}
export const size = (fallback: string) => Size.prefault(fallback);

/**
 * Of a URL to connect to; one that names no port has the usual one. A password may be written in any way that some camera or
 * centre takes, so only what certainly is a port is judged.
 */
const hasGoodPort = (url: string): boolean => {
  const [, rest] = /^\w+:\/\/(?:.*@)?([^/].*)$/.exec(url) ?? [];
  const [, port] = /^(?:\[[^\]]*\]|[^/?#:]*):([^/?#:]+)(?:[/?#]|$)/.exec(rest ?? '') ?? [];
  if (port === undefined || (!/^\d+$/.test(port) && url.includes('@'))) return true;
  return /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
};
/** @param form that it has @param like for the person who wrote another */
export const address = (form: RegExp, like: string) =>
  z.string().regex(form, like).refine(hasGoodPort, '端口为 1 至 65535 · a port from 1 to 65535');

export const Text = z.string().min(1).max(200);
export const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 22:00');
