import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { createMetrics } from '../metrics.ts';
import { accountRoutes } from './accounts.ts';
import { alarmRoutes, reportRoutes } from './alarms.ts';
import { cameraSettingsRoutes } from './camera-settings.ts';
import { cameraRoutes } from './cameras.ts';
import type { Context } from './context.ts';
import { deviceMessageRoutes } from './device-messages.ts';
import { deviceTestRoutes } from './device-test.ts';
import { deviceRoutes } from './devices.ts';
import { doorRecordRoutes } from './door-records.ts';
import { doorRoutes } from './doors.ts';
import { journalRoutes } from './journal.ts';
import { ledgerRoutes } from './ledger.ts';
import { liveRoutes } from './live.ts';
import { mediaRoutes } from './media.ts';
import { planRoutes } from './plans.ts';
import { profileRoutes } from './profiles.ts';
import { sessionRoutes } from './session.ts';
import { settingRoutes } from './settings.ts';
import { statisticsRoutes } from './statistics.ts';
import { systemRoutes } from './system.ts';
import { upstreamRoutes } from './upstream.ts';
import { vocabularyRoutes } from './vocabulary.ts';

/** Every resource adds its own routes; each says who may use it. */
export function addRoutes(server: FastifyInstance, context: Context): void {
  const app = server.withTypeProvider<ZodTypeProvider>();
  const metrics = createMetrics(context, context);
  app.addHook('onResponse', async (request, reply) => {
    const { url } = request.routeOptions;
    metrics.answered(url ?? 'none', request.method, reply.statusCode, reply.elapsedTime / 1_000);
  });
  app.get('/api/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () => app.swagger());
  sessionRoutes(app, context);
  accountRoutes(app, context);
  alarmRoutes(app, context);
  reportRoutes(app, context);
  ledgerRoutes(app, context);
  statisticsRoutes(app, context);
  vocabularyRoutes(app, context);
  deviceRoutes(app, context);
  deviceMessageRoutes(app, context);
  deviceTestRoutes(app, context);
  profileRoutes(app, context);
  planRoutes(app, context);
  doorRecordRoutes(app, context);
  doorRoutes(app, context);
  cameraRoutes(app, context);
  cameraSettingsRoutes(app, context);
  mediaRoutes(app, context);
  journalRoutes(app, context);
  upstreamRoutes(app, context);
  systemRoutes(app, { ...context, metrics });
  settingRoutes(app, context);
  liveRoutes(app, context);
}
