import type { z } from 'zod';
import type { Related as RelatedSchema, Told as ToldSchema } from '../../../api/routes/alarm-around.ts';

export type Related = z.output<typeof RelatedSchema>;
/** What the centre was told of an alarm. */
export type Told = z.output<typeof ToldSchema>;
