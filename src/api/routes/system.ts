import { z } from 'zod';
import { answers } from '../forms.ts';
import type { Metrics } from '../metrics.ts';
import { GatewayState, stateOf } from '../state.ts';
import type { Api, Context } from './context.ts';

export const System = z.object({
  version: z.string(),
  site: z.object({ id: z.string(), name: z.string(), street: z.string(), timezone: z.string() }),
  uptimeSeconds: z.number(),
  state: GatewayState,
  journal: z.object({ head: z.int(), bytes: z.number(), freeBytes: z.number(), commits: z.int(), queue: z.int() }),
  lastStart: z.object({
    unclean: z.boolean().describe('The run before this one was cut short'),
    setAside: z.string().nullable().describe('A damaged database that was put aside'),
  }),
  memoryBytes: z.number(),
  counts: z.object({
    alarmsOpen: z.int(),
    devices: z.int(),
    sessions: z.int(),
    liveClients: z.int(),
    liveDropped: z.int(),
    signInsRefused: z.int(),
  }),
  devicesAt: z.array(z.string()).describe('Where devices connect'),
});

const Health = z.object({ ok: z.boolean(), reasons: z.array(z.string()).readonly() });

export function systemRoutes(app: Api, context: Context & { metrics: Metrics }): void {
  const { journal, board, registry, broker, sessions, live, attempts, health, config, clock, version, metrics } =
    context;
  const started = clock.mono();

  app.get(
    '/healthz',
    {
      config: { access: 'public', rateLimit: false },
      schema: {
        tags: ['system'],
        summary: '健康检查 200 while an alarm can be accepted and stored',
        response: { 200: Health, 503: Health },
      },
    },
    async (_request, reply) => {
      const found = await health.look();
      return reply
        .code(found.ok ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(found);
    },
  );

  app.get(
    '/metrics',
    {
      config: { access: 'local', rateLimit: false },
      schema: { tags: ['system'], summary: 'Prometheus; from this box, or signed in', response: { 200: z.string() } },
    },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .serializer(String)
        .send(await metrics.text()),
  );

  app.get(
    '/api/system',
    { config: { access: 'viewer' }, schema: { tags: ['system'], summary: '系统状态', response: answers(System) } },
    async () => {
      const { bytes, freeBytes, commits, queue } = journal.state();
      const { unclean, setAside } = journal.opened;
      const { id, name, street, timezone } = config.site;
      return {
        version,
        site: { id, name, street, timezone },
        uptimeSeconds: Math.round((clock.mono() - started) / 1_000),
        state: stateOf(context),
        journal: { head: journal.head(), bytes, freeBytes, commits, queue },
        lastStart: { unclean, setAside },
        memoryBytes: process.memoryUsage.rss(),
        counts: {
          alarmsOpen: board.open().length,
          devices: registry.all().length,
          sessions: sessions.size,
          liveClients: live.counts.clients,
          liveDropped: live.counts.dropped,
          signInsRefused: attempts.refused,
        },
        devicesAt: broker.addresses.map(({ url }) => url),
      };
    },
  );
}
