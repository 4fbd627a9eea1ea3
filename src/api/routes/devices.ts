import { z } from 'zod';
import { QuanweiError } from '../../kernel/errors.ts';
import { answers, DeviceId } from '../forms.ts';
import type { ApiDevice } from '../ports.ts';
import type { Api, Context } from './context.ts';

const DeviceView = z
  .object({
    id: z.string(),
    name: z.string(),
    place: z.string(),
    profile: z.string(),
    hub: z.string().nullable(),
    parent: z.string().nullable(),
    managed: z.enum(['file', 'page']).describe('Where it is registered; what is in the file is changed in the file'),
    enabled: z.boolean(),
    hasSecret: z.boolean(),
    silentAfter: z.number().nullable().describe('ms; `null`: as its profile says'),
    params: z.record(z.string(), z.string()).readonly(),
    state: z.object({
      online: z.boolean().nullable(),
      lastSeen: z.number().nullable(),
      battery: z.number().nullable(),
      firmware: z.string().nullable(),
      address: z.string().nullable(),
    }),
  })
  .meta({ id: 'Device' });

export function deviceRoutes(app: Api, { registry }: Context): void {
  const tags = ['devices'];
  const view = (device: ApiDevice): z.output<typeof DeviceView> => {
    const { online, lastSeen, battery, firmware, address } = registry.state(device.id);
    const { secretHash, ...rest } = device;
    return { ...rest, hasSecret: secretHash !== null, state: { online, lastSeen, battery, firmware, address } };
  };
  const found = (id: string): ApiDevice => {
    const device = registry.get(id);
    if (device === null) throw new QuanweiError('NOT_FOUND', '没有这台设备 · there is no such device', { where: id });
    return device;
  };

  app.get(
    '/api/devices',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: '设备列表 every registered device and how it is',
        response: answers(z.object({ devices: z.array(DeviceView), candidates: z.int() })),
      },
    },
    async () => ({ devices: registry.all().map(view), candidates: registry.candidates().length }),
  );

  app.get(
    '/api/devices/:id',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: '设备详情', params: z.object({ id: DeviceId }), response: answers(DeviceView) },
    },
    async (request) => view(found(request.params.id)),
  );
}
