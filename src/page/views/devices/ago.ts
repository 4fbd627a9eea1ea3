import { computed } from 'vue';
import { now, tick } from '../../words/time.ts';
import { t } from '../../words/words.ts';

/** Moves every ten seconds: a list that reads it is not drawn twice a second. */
const slowly = computed(() => Math.floor(tick.value / 10_000));

/** `刚刚`, `4 分钟前`, `3 天前`. @param at ms since the epoch, by the box's clock */
export function ago(at: number): string {
  void slowly.value;
  const minutes = Math.floor((now() - at) / 60_000);
  if (minutes < 1) return t('devices.justNow');
  if (minutes < 60) return t('devices.minutesAgo', { n: minutes });
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? t('devices.hoursAgo', { n: hours }) : t('devices.daysAgo', { n: Math.floor(hours / 24) });
}

/** `3 秒`, `5 分`, `26 小时`: how long, in one unit. @param ms */
export function lasting(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  if (seconds < 120) return t('devices.seconds', { n: seconds });
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return t('devices.minutes', { n: minutes });
  const hours = Math.round(minutes / 60);
  return hours < 72 ? t('devices.hours', { n: hours }) : t('devices.days', { n: Math.round(hours / 24) });
}
