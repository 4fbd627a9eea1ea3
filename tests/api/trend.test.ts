import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import type { Statistics, Trend } from '../../src/api/routes/statistics.ts';
import { Box } from './box.ts';
import { seedYears } from './ledger-rows.ts';

const DAY = 86_400_000;
const at = (text: string): number => Date.parse(text);
type TrendView = z.output<typeof Trend>;

describe('figures by day, week and month', () => {
  test.each([
    ['Asia/Shanghai', '+08:00'],
    ['Asia/Urumqi', '+06:00'],
  ])('days begin when people in %s say so, and every alarm is in one of them', async (timezone, offset) => {
    const box = await Box.start({
      settings: { site: { id: 'spring-garden', name: '泉水花园', street: 'longquan', timezone } },
    });
    // One a minute for ten days.
    await seedYears(box, 14_400, at(`2026-11-10T23:59:30${offset}`));
    const viewer = await box.person('viewer');
    const span = `from=${at(`2026-11-01T00:00:00${offset}`)}&to=${at(`2026-11-11T00:00:00${offset}`)}`;
    const { body } = await viewer.get<TrendView>(`/api/statistics/trend?${span}&by=day`);
    expect(body.timezone).toBe(timezone);
    expect(body.buckets.map(({ alarms }) => alarms)).toEqual(Array.from({ length: 10 }, () => 1_440));
    expect(body.buckets[0]?.from).toBe(at(`2026-11-01T00:00:00${offset}`));
    expect(body.buckets[3]).toMatchObject({
      acknowledge: { p50: 30_000, p95: 30_000, measured: 1_440 },
      close: { p50: 90_000, p95: 90_000 },
      falseRate: 0.1,
      busiestTenMinutes: 10,
    });
    // 2026-11-01 is a Sunday: a week of one day, a whole one, and two days.
    const weeks = await viewer.get<TrendView>(`/api/statistics/trend?${span}&by=week`);
    expect(weeks.body.buckets.map(({ alarms }) => alarms / 1_440)).toEqual([1, 7, 2]);
    const months = await viewer.get<TrendView>(`/api/statistics/trend?${span}&by=month`);
    const { body: whole } = await viewer.get<z.output<typeof Statistics>>(`/api/statistics?${span}`);
    const [month] = months.body.buckets;
    expect(months.body.buckets).toHaveLength(1);
    for (const figure of [
      'alarms',
      'open',
      'acknowledge',
      'close',
      'onTime',
      'escalated',
      'levels',
      'falseRate',
    ] as const) {
      expect(month?.[figure]).toEqual(whole[figure]);
    }
  });

  test('a span of nothing but quiet days has them all, empty', async () => {
    const box = await Box.start();
    const viewer = await box.person('viewer');
    const { body } = await viewer.get<TrendView>(
      `/api/statistics/trend?from=${at('2026-01-01')}&to=${at('2026-01-08')}`,
    );
    expect(body.buckets.length).toBe(8);
    expect(body.buckets.every(({ alarms, falseRate }) => alarms === 0 && falseRate === null)).toBe(true);
  });

  test('a span that cannot be meant, or has more days than anybody reads, is refused with what is wrong', async () => {
    const box = await Box.start();
    const viewer = await box.person('viewer');
    const refused = [
      ['by=hour', 'by'],
      [`from=5&to=5`, 'from'],
      [`from=0&to=${401 * DAY}`, 'from'],
      [`from=0&to=${120 * DAY}&by=day`, 'by'],
      [`from=0&to=${DAY}&zone=UTC`, 'querystring'],
    ] as const;
    for (const [query, where] of refused) {
      const { status, body } = await viewer.get<{ error: { where: string } }>(`/api/statistics/trend?${query}`);
      expect(status, query).toBe(400);
      expect(body.error.where, query).toContain(where);
    }
  });
});
