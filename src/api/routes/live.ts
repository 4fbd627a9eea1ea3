import { z } from 'zod';
import { queryNumber, queryWords } from '../forms.ts';
import { person } from '../guard.ts';
import { LIVE_TOPICS } from '../live.ts';
import type { Api, Context } from './context.ts';

const Query = z.strictObject({
  topics: queryWords(LIVE_TOPICS)
    .default(['alarm'])
    .describe(`Comma-separated: ${LIVE_TOPICS.join(', ')}`),
  after: queryNumber(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Entries after this seq; `Last-Event-ID` goes before it; without either, those from now on'),
});

export function liveRoutes(app: Api, { live }: Context): void {
  app.get(
    '/api/live',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['live'],
        summary: '实时事件 journal entries as server-sent events',
        description:
          'Unnamed events are entries, their id is `seq`. `state`: storage, clock and centre, every 15 s and on change. ' +
          '`reset`: too much was missed, read the lists again. `ended`: the session is over or the gateway stops.',
        querystring: Query,
      },
    },
    (request, reply) => {
      const last = request.headers['last-event-id'];
      // A browser sends back what it was given; anything else is no reason to refuse it the stream.
      const resumed = typeof last === 'string' && /^\d{1,15}$/.test(last) ? Number(last) : null;
      const { topics, after } = request.query;
      live.open({
        raw: reply.raw,
        headers: reply.getHeaders(),
        topics,
        after: resumed ?? after ?? null,
        session: person(request).session.key,
      });
      reply.hijack();
    },
  );
}
