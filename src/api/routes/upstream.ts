import { z } from 'zod';
import { answers } from '../forms.ts';
import type { Api, Context } from './context.ts';

const State = z.looseObject({
  connected: z.boolean(),
  since: z.number().describe('Since when it is connected or not'),
  error: z.string().nullable(),
  lanes: z
    .array(z.object({ waiting: z.int(), oldestMs: z.number() }))
    .readonly()
    .describe('Level-1 alarms, other alarms, records of doors and devices, the rest'),
  waiting: z.int().describe('Entries the centre has not confirmed'),
  oldestAlarmMs: z.number(),
  lastConfirmed: z.number().nullable(),
  latencyMs: z.number().nullable(),
});
export const Upstream = z.object({
  configured: z.boolean(),
  url: z.string().nullable(),
  state: State.nullable().describe('`null` when no centre is configured'),
});

export function upstreamRoutes(app: Api, { bridge, config }: Context): void {
  app.get(
    '/api/upstream',
    {
      config: { access: 'viewer' },
      schema: { tags: ['upstream'], summary: '上报状态 the way to the command centre', response: answers(Upstream) },
    },
    async () => ({
      configured: bridge !== null,
      // A URL may carry a password; nobody who only looks needs it.
      url: config.upstream === undefined ? null : config.upstream.url.replace(/\/\/[^@/]*@/, '//'),
      state: bridge === null ? null : { ...bridge.state() },
    }),
  );
}
