import { z } from 'zod';
import { answers } from '../forms.ts';
import type { Api, Context } from './context.ts';

const Upstream = z.object({
  configured: z.boolean(),
  url: z.string().nullable(),
  state: z.record(z.string(), z.unknown()).nullable(),
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
      // A password in a URL is refused nowhere, so it is taken out here.
      url: config.upstream === undefined ? null : config.upstream.url.replace(/\/\/[^@/]*@/, '//'),
      state: bridge === null ? null : { ...bridge.state() },
    }),
  );
}
