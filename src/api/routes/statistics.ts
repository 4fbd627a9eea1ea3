import { z } from 'zod';
import { Calendar, PERIODS } from '../../alarms/calendar.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { answers, CategoryName, LevelNumber, queryTime } from '../forms.ts';
import type { Api, Context } from './context.ts';

const DAY_MS = 86_400_000;
const LONGEST_MS = 400 * DAY_MS;
/** Points of a trend at most: more than this nobody can read on one sheet. */
const BUCKETS = 100;

const Percentiles = z.object({ p50: z.number().nullable(), p95: z.number().nullable(), measured: z.int() });
const Share = z.number().nullable().describe('0–1');
const DeviceFigures = z.object({
  device: z.string(),
  name: z.string(),
  alarms: z.int(),
  events: z.int(),
  false: z.int(),
  falseRate: Share,
});
const Figures = z.object({
  from: z.number(),
  to: z.number(),
  alarms: z.int(),
  open: z.int(),
  acknowledge: Percentiles.describe('Of all levels together, ms'),
  close: Percentiles.describe('Of all levels together, ms'),
  onTime: Share,
  escalated: z.int(),
  levels: z
    .array(
      z.object({
        level: LevelNumber,
        alarms: z.int(),
        acknowledge: Percentiles.describe('ms'),
        close: Percentiles.describe('ms'),
        onTime: Share,
        escalated: z.int(),
      }),
    )
    .readonly(),
  falseRate: Share,
  categories: z.array(z.object({ category: CategoryName, alarms: z.int(), events: z.int() })).readonly(),
  busiestTenMinutes: z.int(),
});
export const Statistics = Figures.extend({
  truncated: z.boolean(),
  stale: z.int(),
  top: z.array(DeviceFigures).readonly(),
  mostFalse: z.array(DeviceFigures).readonly(),
  chattering: z
    .array(z.object({ device: z.string(), name: z.string(), category: CategoryName, count: z.int() }))
    .readonly(),
});
export const Trend = z.object({
  by: z.enum(PERIODS),
  timezone: z.string().describe('In which days begin'),
  truncated: z.boolean(),
  buckets: z.array(Figures).readonly().describe('Oldest first; the first and the last may be cut by `from` and `to`'),
});

const Span = {
  from: queryTime.optional().describe('Default: 30 days ago'),
  to: queryTime.optional().describe('Default: now'),
};

export function statisticsRoutes(app: Api, { board, clock, config }: Context): void {
  const calendar = new Calendar(config.site.timezone);

  const spanOf = (query: { from?: number | undefined; to?: number | undefined }): { from: number; to: number } => {
    const to = query.to ?? clock.wall() + 1;
    const from = query.from ?? Math.max(0, to - 30 * DAY_MS);
    if (from >= to || to - from > LONGEST_MS) {
      throw new QuanweiError('BAD_REQUEST', '时间范围不对 · a span begins before it ends and is at most 400 days', {
        where: 'querystring/from',
      });
    }
    return { from, to };
  };

  app.get(
    '/api/statistics',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alarms'],
        summary: '统计 times to acknowledge and close, on-time closure, false alarms, top ten',
        querystring: z.strictObject(Span),
        response: answers(Statistics),
      },
    },
    async (request) => board.stats(spanOf(request.query)),
  );

  app.get(
    '/api/statistics/trend',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alarms'],
        summary: '趋势 the same figures by day, week (from Monday) or month of the site’s zone',
        querystring: z.strictObject({ ...Span, by: z.enum(PERIODS).default('day') }),
        response: answers(Trend),
      },
    },
    async (request) => {
      const { by } = request.query;
      const { from, to } = spanOf(request.query);
      const spans = calendar.spans(by, from, to);
      if (spans.length > BUCKETS) {
        throw new QuanweiError('BAD_REQUEST', '时间范围太长 · the span has too many of these', {
          where: 'querystring/by',
          hint: `at most ${BUCKETS}; ask by week or by month`,
        });
      }
      return { by, timezone: config.site.timezone, ...(await board.trend(spans)) };
    },
  );
}
