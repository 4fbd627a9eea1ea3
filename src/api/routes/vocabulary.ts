import { z } from 'zod';
import { REPORT_CHANNELS } from '../../alarms/reports.ts';
import { CATEGORIES } from '../../devices/event.ts';
import { answers } from '../forms.ts';
import type { Api, Context } from './context.ts';

const Both = z.object({ zh: z.string(), en: z.string() });
const Level = z.object({ acknowledgeMs: z.number().nullable(), closeMs: z.number().nullable() });
export const Vocabulary = z.object({
  categories: z.record(z.string(), Both.extend({ lifeSafety: z.boolean() })),
  channels: z.record(z.string(), Both),
  levels: z.record(z.string(), Level).describe('Times to acknowledge and to close, by level'),
});

/** The words and times everything else is told in: one place for every page and program. */
export function vocabularyRoutes(app: Api, { config }: Context): void {
  const levels = () =>
    ([1, 2, 3, 4] as const).map((level) => {
      const { acknowledge = null, close = null } = config.alarms.levels[level] ?? {};
      return [String(level), { acknowledgeMs: acknowledge, closeMs: close }];
    });
  app.get(
    '/api/vocabulary',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['system'],
        summary: '名称与时限 names of categories, channels; times by level',
        response: answers(Vocabulary),
      },
    },
    async () => ({
      categories: CATEGORIES,
      channels: REPORT_CHANNELS,
      levels: Object.fromEntries(levels()) as Record<string, z.output<typeof Level>>,
    }),
  );
}
