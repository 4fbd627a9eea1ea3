import { z } from 'zod';
import { ENTRY_KINDS } from '../../journal/entry.ts';
import { verify } from '../../journal/maintenance.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { answers, EntryView, limit, queryNumber, queryWords } from '../forms.ts';
import { entryView } from '../live.ts';
import type { Api, Context } from './context.ts';

const Query = z.strictObject({
  after: queryNumber(0, Number.MAX_SAFE_INTEGER).optional(),
  before: queryNumber(1, Number.MAX_SAFE_INTEGER).optional(),
  kinds: queryWords(ENTRY_KINDS).optional().describe('Comma-separated kinds'),
  subject: z.string().min(1).max(128).optional(),
  order: z.enum(['oldest', 'newest']).default('oldest'),
  limit: limit(100, 500),
});

const Verification = z.object({
  state: z.enum(['never', 'running', 'intact', 'broken', 'failed']),
  at: z.number().nullable().describe('When it ended, ms since the epoch'),
  entries: z.int().nullable(),
  head: z.int(),
  why: z.string().nullable(),
});
type Verification = z.output<typeof Verification>;

export function journalRoutes(app: Api, { journal, clock, log }: Context): void {
  let last: Omit<Verification, 'head'> = { state: 'never', at: null, entries: null, why: null };

  app.get(
    '/api/journal',
    {
      config: { access: 'manager' },
      schema: {
        tags: ['journal'],
        summary: '日志 entries of the journal',
        querystring: Query,
        response: answers(z.object({ head: z.int(), entries: z.array(EntryView) })),
      },
    },
    async (request) => {
      const { after, before, kinds, subject, order, limit: most } = request.query;
      const entries = await journal.readInTurns({
        limit: most,
        newestFirst: order === 'newest',
        ...(after === undefined ? {} : { after }),
        ...(before === undefined ? {} : { before }),
        ...(kinds === undefined ? {} : { kinds }),
        ...(subject === undefined ? {} : { subject }),
      });
      return { head: journal.head(), entries: entries.map(entryView) };
    },
  );

  const state = (): Verification => ({ ...last, head: journal.head() });

  app.get(
    '/api/journal/verification',
    {
      config: { access: 'manager' },
      schema: {
        tags: ['journal'],
        summary: '校验结果 what the last walk of the chain found',
        response: answers(Verification),
      },
    },
    async () => state(),
  );

  app.post(
    '/api/journal/verification',
    {
      config: { access: 'manager' },
      schema: {
        tags: ['journal'],
        summary: '校验哈希链 walk every page and link, in a thread of its own; ask GET for the outcome',
        response: answers(Verification),
      },
    },
    async () => {
      if (last.state === 'running') throw new QuanweiError('CONFLICT', '正在校验 · a walk is under way');
      last = { state: 'running', at: null, entries: null, why: null };
      verify(journal.dir).then(
        ({ entries, broken, damage }) => {
          const why = damage ?? (broken === null ? null : `entry ${broken.seq}: ${broken.why}`);
          last = { state: why === null ? 'intact' : 'broken', at: clock.wall(), entries, why };
          if (why !== null) log.error({ why }, 'the journal does not verify');
        },
        (thrown: unknown) => {
          last = { state: 'failed', at: clock.wall(), entries: null, why: messageOf(thrown) };
        },
      );
      return state();
    },
  );
}
