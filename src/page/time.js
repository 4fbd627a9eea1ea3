import { isEnglish } from './words.js';

let zone = 'Asia/Shanghai';
/** Wall clock of the box minus that of this browser, ms: ages are counted by the box's clock. */
let skew = 0;

export function setZone(timezone) {
  zone = timezone;
}
export function setNow(boxNow) {
  skew = boxNow - Date.now();
}
export const now = () => Date.now() + skew;

/** `12:04:33`, or with the date when it is not today; in the zone of the compound. */
export function clockTime(ms) {
  const day = (at) => new Date(at).toLocaleDateString('sv-SE', { timeZone: zone });
  const time = new Date(ms).toLocaleTimeString('zh-CN', { timeZone: zone, hour12: false });
  return day(ms) === day(now()) ? time : `${day(ms)} ${time}`;
}

/** `4:07`, `2:31:05`, `3天 4小时`. @param ms may be negative; the sign is the caller's to say */
export function span(ms) {
  const all = Math.max(0, Math.floor(Math.abs(ms) / 1000));
  const [d, h, m, s] = [
    Math.floor(all / 86_400),
    Math.floor(all / 3_600) % 24,
    Math.floor(all / 60) % 60,
    String(all % 60).padStart(2, '0'),
  ];
  if (d > 0) return isEnglish() ? `${d} d ${h} h` : `${d}天${h}小时`;
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

export function bytes(n) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
