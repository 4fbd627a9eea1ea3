import { z } from 'zod';
import { answers } from '../forms.ts';
import type { Api, Context } from './context.ts';

const Both = z.object({ zh: z.string(), en: z.string() });
const ProfileView = z
  .object({
    id: z.string(),
    names: Both,
    vendor: z.string(),
    kind: z.string(),
    about: Both,
    transport: z.string(),
    isHub: z.boolean(),
    lifeSafety: z.boolean(),
    parameters: z.record(z.string(), z.unknown()).describe('What differs from site to site'),
    commands: z.array(z.string()),
    setup: z.array(Both).describe('What to type into the device, step by step'),
  })
  .meta({ id: 'Profile' });

export function profileRoutes(app: Api, { catalogue }: Context): void {
  app.get(
    '/api/profiles',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['devices'],
        summary: '设备型号 the device models this gateway knows',
        response: answers(z.object({ profiles: z.array(ProfileView) })),
      },
    },
    async () => ({
      profiles: catalogue.all().map(({ hub, supervision, commands, ...profile }) => ({
        ...profile,
        isHub: hub !== undefined,
        lifeSafety: supervision.lifeSafety,
        commands: Object.keys(commands),
      })),
    }),
  );
}
