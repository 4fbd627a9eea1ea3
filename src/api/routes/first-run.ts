import { z } from 'zod';
import { FIRST_RUN_STATES } from '../first-run.ts';
import { answers } from '../forms.ts';
import { actorOf } from '../guard.ts';
import type { Api, Context } from './context.ts';

export const FirstRunView = z.object({
  state: z.enum(FIRST_RUN_STATES),
  devices: z.int().describe('Devices in service, without this box and its cameras’ program'),
  centre: z.boolean().describe('A centre is configured, or will be after a restart'),
});
const Put = z.strictObject({ state: z.enum(['later', 'finished', 'dismissed', 'due']) });

export function firstRunRoutes(app: Api, { firstRun, registry, settings, config }: Context): void {
  const view = (): z.output<typeof FirstRunView> => ({
    state: firstRun.state,
    devices: registry.all().filter(({ id }) => id !== config.vision.id).length,
    centre: settings.get('upstream').value !== null,
  });
  const tags = ['settings'];

  app.get(
    '/api/first-run',
    {
      config: { access: 'admin' },
      schema: { tags, summary: '首次设置 how far it has come', response: answers(FirstRunView) },
    },
    async () => view(),
  );

  app.put(
    '/api/first-run',
    {
      config: { access: 'admin' },
      schema: { tags, summary: '首次设置：完成、稍后或不再提示', body: Put, response: answers(FirstRunView) },
    },
    async (request) => {
      await firstRun.set(request.body.state, actorOf(request));
      return view();
    },
  );
}
