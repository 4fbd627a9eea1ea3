import type { z } from 'zod';
import type { Statistics as StatisticsSchema, Trend as TrendSchema } from '../../../api/routes/statistics.ts';

export type Statistics = z.output<typeof StatisticsSchema>;
export type Trend = z.output<typeof TrendSchema>;
export type Bucket = Trend['buckets'][number];
