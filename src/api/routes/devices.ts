import { z } from 'zod';
import { type Device, DeviceDraft, DevicePatch } from '../../devices/device.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { answers, DeviceId, Done, someText, text } from '../forms.ts';
import { actorOf } from '../guard.ts';
import type { Api, Context } from './context.ts';

export const DeviceView = z
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
    lifeSafety: z.boolean().describe('A life may hang on it, as its profile says'),
    connected: z.boolean().describe('It, or the hub it is behind, has a connection now'),
    spoke: z.boolean().describe('It has said something since the gateway started; to log in is not yet to speak'),
    state: z.object({
      online: z.boolean().nullable().describe('`null` until it has been heard for the first time'),
      since: z.number().nullable(),
      lastSeen: z.number().nullable(),
      battery: z.number().nullable(),
      batteryLow: z.boolean(),
      firmware: z.string().nullable(),
      address: z.string().nullable(),
      clockOffset: z.number().nullable(),
      clockWrong: z.boolean(),
    }),
  })
  .meta({ id: 'Device' });

export const DeviceList = z.object({ devices: z.array(DeviceView), candidates: z.int() });
const Issued = z.object({
  device: DeviceView,
  secret: z.string().nullable().describe('Told this once; `null` for a device behind a hub'),
});
const Named = z.object({ id: DeviceId });
const Candidate = z.object({
  via: z.string().nullable().describe('The hub it is behind; `null`: it tried to log in itself'),
  key: z.string(),
  hint: z.string(),
  first: z.number(),
  last: z.number(),
  count: z.int(),
});

export function deviceRoutes(app: Api, { registry, broker }: Context): void {
  const tags = ['devices'];
  const config = { access: 'manager' } as const;
  const view = ({ secretHash, ...device }: Device): z.output<typeof DeviceView> => ({
    ...device,
    hasSecret: secretHash !== null,
    lifeSafety: registry.lifeSafety(device.id),
    connected: broker.connected(device.hub ?? device.id),
    spoke: registry.hasSpoken(device.id),
    state: registry.state(device.id),
  });

  app.get(
    '/api/devices',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: '设备列表 every registered device and how it is',
        response: answers(DeviceList),
      },
    },
    async () => ({ devices: registry.all().map(view), candidates: registry.candidates().length }),
  );

  app.get(
    '/api/devices/:id',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: '设备详情 one device', params: Named, response: answers(DeviceView) },
    },
    async (request) => {
      const { id } = request.params;
      const device = registry.get(id);
      if (device === null) throw new QuanweiError('NOT_FOUND', '没有此设备 · there is no such device', { where: id });
      return view(device);
    },
  );

  app.post(
    '/api/devices',
    {
      config,
      schema: { tags, summary: '登记设备 register a device', body: DeviceDraft, response: answers(Issued) },
    },
    async (request) => {
      const { device, secret } = await registry.register(request.body, actorOf(request));
      return { device: view(device), secret };
    },
  );

  app.patch(
    '/api/devices/:id',
    {
      config,
      schema: {
        tags,
        summary: '修改设备 change a device',
        params: Named,
        body: DevicePatch,
        response: answers(DeviceView),
      },
    },
    async (request) => {
      const device = await registry.update(request.params.id, request.body, actorOf(request));
      await broker.recheck();
      return view(device);
    },
  );

  app.delete(
    '/api/devices/:id',
    {
      config,
      schema: {
        tags,
        summary: '注销设备 remove a device; it is disconnected',
        params: Named,
        body: z.strictObject({ reason: someText(200) }),
        response: answers(Done),
      },
    },
    async (request) => {
      await registry.remove(request.params.id, actorOf(request), request.body.reason);
      await broker.recheck();
      return { ok: true as const };
    },
  );

  app.post(
    '/api/devices/:id/secret',
    {
      config,
      schema: {
        tags,
        summary: '更换密钥 a new secret, told once; whoever has the old one is disconnected',
        params: Named,
        response: answers(Issued),
      },
    },
    async (request) => {
      const { device, secret } = await registry.rotateSecret(request.params.id, actorOf(request));
      await broker.recheck();
      return { device: view(device), secret };
    },
  );

  app.get(
    '/api/candidates',
    {
      config,
      schema: {
        tags,
        summary: '未登记设备 who knocked and is not registered, newest first',
        response: answers(z.object({ candidates: z.array(Candidate) })),
      },
    },
    async () => ({ candidates: registry.candidates() }),
  );

  app.post(
    '/api/candidates/dismiss',
    {
      config,
      schema: {
        tags,
        summary: '忽略 take one off the list until it knocks again',
        body: z.strictObject({ via: DeviceId.nullable(), key: text(128).min(1) }),
        response: answers(Done),
      },
    },
    async (request) => {
      const { via, key } = request.body;
      if (!registry.dismiss(via, key)) {
        throw new QuanweiError('NOT_FOUND', '不在名单中 · it is not on the list', { where: key });
      }
      return { ok: true as const };
    },
  );
}
