import { shallowRef } from 'vue';
import { isEnglish } from './words.ts';

let zone = 'Asia/Shanghai';
/** Wall clock of the box minus that of this browser, ms: ages are counted by the box's clock. */
let skew = 0;
/** Moves every half second; what shows an age or a deadline reads it. */
export const tick = shallowRef(Date.now());
setInterval(() => {
  tick.value = now();
}, 500);

export function setZone(timezone: string): void {
  zone = timezone;
}
export const siteZone = (): string => zone;
export function setNow(boxNow: number): void {
  skew = boxNow - Date.now();
}
/** The box's wall clock, ms since the epoch. */
export const now = (): number => Date.now() + skew;

/** `2026-11-26` in the zone of the compound. */
export const day = (ms: number): string => new Date(ms).toLocaleDateString('sv-SE', { timeZone: zone });

/** `12:04:33`, or with the date when it is not today; in the zone of the compound. */
export function clockTime(ms: number): string {
  const time = new Date(ms).toLocaleTimeString('zh-CN', { timeZone: zone, hour12: false });
  return day(ms) === day(now()) ? time : `${day(ms)} ${time}`;
}

/** `2026-11-26 12:04:33`, whatever day it is: for what is read or printed later. */
export const fullTime = (ms: number): string =>
  `${day(ms)} ${new Date(ms).toLocaleTimeString('zh-CN', { timeZone: zone, hour12: false })}`;

/** `4:07`, `2:31:05`, `3天4小时`. @param ms may be negative; the sign is the caller's to say */
export function span(ms: number): string {
  const all = Math.max(0, Math.floor(Math.abs(ms) / 1000));
  const [d, h, m] = [Math.floor(all / 86_400), Math.floor(all / 3_600) % 24, Math.floor(all / 60) % 60];
  const s = String(all % 60).padStart(2, '0');
  if (d > 0) return isEnglish() ? `${d} d ${h} h` : `${d}天${h}小时`;
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
