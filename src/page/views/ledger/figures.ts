import { day } from '../../words/time.ts';
import { colon, levelWord, pick, t } from '../../words/words.ts';
import { adviceFor, adviceOnFalse } from './advice.ts';
import type { ChartData } from './chart.ts';
import type { Listed } from './DeviceList.vue';
import type { Bucket, Statistics, Trend } from './types.ts';

/** Figures of the gateway as charts and lists. */
type Names = Readonly<Record<string, { readonly zh: string; readonly en: string }>> | undefined;

const LEVELS = [1, 2, 3, 4] as const;
export type LevelChoice = '' | '1' | '2' | '3' | '4';
const MINUTE_MS = 60_000;
const CATEGORIES = 10;

/** `11-26`, the Monday of a week, or `2026-11`. */
const pointOf = (by: Trend['by'], { from }: Bucket): string =>
  by === 'month' ? day(from).slice(0, 7) : day(from).slice(5);
const pointsOf = ({ by, buckets }: Trend): string[] => buckets.map((bucket) => pointOf(by, bucket));

export const byLevel = (trend: Trend): ChartData => ({
  kind: 'bar',
  stacked: true,
  points: pointsOf(trend),
  series: LEVELS.map((level) => ({
    name: levelWord(level),
    colour: `--l${level}`,
    values: trend.buckets.map(({ levels }) => levels.find((one) => one.level === level)?.alarms ?? 0),
  })),
});

export function byCategory(statistics: Statistics, names: Names): ChartData {
  const most = statistics.categories.slice(0, CATEGORIES);
  return {
    kind: 'bar',
    lying: true,
    points: most.map(({ category }) => pick(names?.[category], category)),
    series: [{ name: t('reports.count'), colour: '--main', values: most.map(({ alarms }) => alarms) }],
  };
}

export function times(trend: Trend, choice: LevelChoice): ChartData {
  const of = (bucket: Bucket) => bucket.levels.find(({ level }) => String(level) === choice) ?? bucket;
  const minutes = (ms: number | null): number | null => (ms === null ? null : ms / MINUTE_MS);
  const values = (read: (figures: ReturnType<typeof of>) => number | null) =>
    trend.buckets.map((bucket) => minutes(read(of(bucket))));
  return {
    kind: 'line',
    points: pointsOf(trend),
    series: [
      { name: t('reports.ack_p50'), colour: '--main', values: values(({ acknowledge }) => acknowledge.p50) },
      {
        name: t('reports.ack_p95'),
        colour: '--warn',
        dashed: true,
        values: values(({ acknowledge }) => acknowledge.p95),
      },
      { name: t('reports.close_p50'), colour: '--l4-text', values: values(({ close }) => close.p50) },
    ],
  };
}

export const rates = (trend: Trend): ChartData => ({
  kind: 'line',
  percent: true,
  points: pointsOf(trend),
  series: [
    { name: t('reports.on_time'), colour: '--good', values: trend.buckets.map(({ onTime }) => onTime) },
    {
      name: t('reports.false_rate'),
      colour: '--bad',
      dashed: true,
      values: trend.buckets.map(({ falseRate }) => falseRate),
    },
  ],
});

/** Fewer than this say nothing about a device. */
const SOME = 3;

export const noisy = ({ top }: Statistics): Listed[] =>
  top
    .filter(({ alarms }) => alarms >= SOME)
    .map(({ device, name, alarms, events, false: wrong, falseRate }) => ({
      key: device,
      device,
      name,
      figure: String(alarms),
      more: `${t('reports.events')} ${events}`,
      advice:
        wrong >= SOME && falseRate !== null && falseRate >= 0.5 ? adviceOnFalse(falseRate) : t('reports.do_noisy'),
    }));

export const mostFalse = (statistics: Statistics): Listed[] =>
  statistics.mostFalse.map(({ device, name, alarms, falseRate, false: wrong }) => ({
    key: device,
    device,
    name,
    figure: `${Math.round((falseRate ?? 0) * 100)}%`,
    more: t('reports.of', { n: alarms, m: wrong }),
    advice: adviceOnFalse(falseRate ?? 0),
  }));

export const chattering = (statistics: Statistics, names: Names): Listed[] =>
  statistics.chattering.map(({ device, name, category, count }) => ({
    key: `${device} ${category}`,
    device,
    name: `${name || device}${colon()}${pick(names?.[category], category)}`,
    figure: String(count),
    more: t('reports.events'),
    advice: adviceFor(category),
  }));
