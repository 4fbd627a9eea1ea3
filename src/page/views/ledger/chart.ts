import type { EChartsCoreOption } from 'echarts/core';
import { colon, t } from '../../words/words.ts';

/** What a chart shows, apart from how: the same figures are its table. */
export interface ChartData {
  readonly kind: 'bar' | 'line';
  /** Bars lie: names are long. */
  readonly lying?: boolean;
  readonly stacked?: boolean;
  /** What one point is about: days, categories. */
  readonly points: readonly string[];
  /** @param series.colour name of a variable of base.css */
  readonly series: readonly { name: string; colour: string; dashed?: boolean; values: readonly (number | null)[] }[];
  readonly percent?: boolean;
}

export const shownValue = (value: number | null, percent = false): string =>
  value === null ? '—' : percent ? `${Math.round(value * 100)}%` : String(Math.round(value * 10) / 10);

/** The figures as they are read out: what ECharts makes up itself calls a day without a figure "NaN". */
export const spoken = ({ points, series, percent }: ChartData): string =>
  series
    .map(({ name, values }) => {
      const told = points.map((point, i) => `${point} ${shownValue(values[i] ?? null, percent)}`);
      return `${name}${colon()}${told.join(t('devices.comma'))}`;
    })
    .join('\n');

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * In the colours of the page as they are now.
 * @param patterns bars are told apart by patterns too: for a printer without colours
 */
export function optionOf(data: ChartData, patterns: boolean): EChartsCoreOption {
  const { kind, lying = false, stacked = false, points, series, percent = false } = data;
  const [text, dim, line, panel] = ['--text', '--dim', '--line', '--panel'].map(colour);
  const names = {
    type: 'category',
    data: points,
    inverse: lying,
    axisLabel: { color: dim, hideOverlap: true, ...(lying ? { width: 150, overflow: 'truncate' } : {}) },
    axisLine: { lineStyle: { color: line } },
    axisTick: { show: false },
  };
  const values = {
    type: 'value',
    minInterval: percent ? undefined : 1,
    ...(percent ? { min: 0, max: 1 } : {}),
    axisLabel: { color: dim, formatter: (value: number) => shownValue(value, percent) },
    splitLine: { lineStyle: { color: line, opacity: 0.5 } },
  };
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    aria: { enabled: true, label: { description: spoken(data) }, decal: { show: patterns && kind === 'bar' } },
    grid: { left: 8, right: 16, top: series.length > 1 ? 36 : 12, bottom: 4, containLabel: true },
    legend: { show: series.length > 1, top: 0, textStyle: { color: text }, itemWidth: 18, itemHeight: 10 },
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      confine: true,
      backgroundColor: panel,
      borderColor: line,
      textStyle: { color: text },
      axisPointer: { type: kind === 'bar' ? 'shadow' : 'line', lineStyle: { color: dim } },
      valueFormatter: (value: unknown) => shownValue(typeof value === 'number' ? value : null, percent),
    },
    xAxis: lying ? values : names,
    yAxis: lying ? names : values,
    series: series.map((one) => ({
      name: one.name,
      type: kind,
      ...(stacked ? { stack: 'all' } : {}),
      data: one.values,
      barMaxWidth: 26,
      symbolSize: 6,
      showSymbol: points.length <= 31,
      color: colour(one.colour),
      lineStyle: { width: 2, type: one.dashed ? 'dashed' : 'solid' },
    })),
  };
}
