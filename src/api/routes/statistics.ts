import { z } from 'zod';
import { QuanweiError } from '../../kernel/errors.ts';
import { answers, CategoryName, LevelNumber, queryNumber } from '../forms.ts';
import type { Api, Context } from './context.ts';

const DAY_MS = 86_400_000;
const LONGEST_MS = 400 * DAY_MS;

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
const Statistics = z.object({
  from: z.number(),
  to: z.number(),
  alarms: z.int(),
  truncated: z.boolean(),
  open: z.int(),
  stale: z.int(),
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
  top: z.array(DeviceFigures).readonly(),
  mostFalse: z.array(DeviceFigures).readonly(),
  chattering: z
    .array(z.object({ device: z.string(), name: z.string(), category: CategoryName, count: z.int() }))
    .readonly(),
  busiestTenMinutes: z.int(),
});

export function statisticsRoutes(app: Api, { board, clock }: Context): void {
  app.get(
    '/api/statistics',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alarms'],
        summary: '统计 times to acknowledge and close, on-time closure, false alarms, top ten',
        querystring: z.strictObject({
          from: queryNumber(0, Number.MAX_SAFE_INTEGER).optional().describe('Default: 30 days ago'),
          to: queryNumber(0, Number.MAX_SAFE_INTEGER).optional().describe('Default: now'),
        }),
        response: answers(Statistics),
      },
    },
    async (request) => {
      const to = request.query.to ?? clock.wall() + 1;
      const from = request.query.from ?? to - 30 * DAY_MS;
      if (from >= to || to - from > LONGEST_MS) {
        throw new QuanweiError('BAD_REQUEST', '时间范围不对 · a span begins before it ends and is at most 400 days', {
          where: 'querystring/from',
        });
      }
      return board.stats({ from, to });
    },
  );
}
