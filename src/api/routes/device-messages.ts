import { z } from 'zod';
import { keptMessages } from '../../intake/rereading.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { answers, DeviceId, Evidence, limit, queryNumber } from '../forms.ts';
import type { Api, Context } from './context.ts';

const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const Event = z.object({
  device: z.string(),
  category: z.string(),
  kind: z.enum(['pulse', 'level']),
  active: z.boolean(),
  replayed: z.boolean(),
  test: z.boolean(),
  deviceTime: z.number().nullable(),
  detail: z.record(z.string(), Scalar).readonly(),
  evidence: z.array(Evidence.readonly()).readonly().optional(),
});
const Reading = z.object({
  understood: z.boolean(),
  why: z.string().nullable(),
  message: z.string().nullable(),
  events: z.array(Event).readonly(),
  reports: z.array(z.object({ device: z.string(), report: z.record(z.string(), Scalar) })).readonly(),
  receipt: z.object({ topic: z.string(), payload: z.string() }).nullable(),
  reply: z.object({ ok: z.boolean(), code: z.string(), detail: z.string() }).nullable(),
  same: z.boolean().describe('The same events come out as when it came in'),
});
export const MessageView = z
  .object({
    seq: z.int(),
    at: z.number(),
    deviceTime: z.number().nullable(),
    from: z.string().describe('Who was logged in: the device, or its hub'),
    understood: z.boolean(),
    topic: z.string().nullable().describe('`null`: erased by retention'),
    raw: z.string().describe('As it was kept: without what its profile redacts, at most 8,192 characters'),
    encoding: z.enum(['text', 'base64']),
    cut: z.boolean(),
    reason: z.string().nullable().describe('Why it was not understood'),
    message: z.string().nullable().describe('What its profile calls it'),
    events: z.array(Event).readonly().describe('What came of it'),
    replayed: z.boolean(),
    retained: z.boolean(),
    will: z.boolean().describe('Said by the broker on its behalf: its connection broke'),
    reading: Reading.nullable().describe('The same bytes, read by the profile as it is now'),
  })
  .meta({ id: 'DeviceMessage' });
export const MessagePage = z.object({ messages: z.array(MessageView) });

export function deviceMessageRoutes(app: Api, { registry, journal, catalogue, config }: Context): void {
  app.get(
    '/api/devices/:id/messages',
    {
      config: { access: 'manager' },
      schema: {
        tags: ['devices'],
        summary: '设备报文 what it said, raw → decoded → events, newest first',
        params: z.object({ id: DeviceId }),
        querystring: z.strictObject({
          before: queryNumber(1, Number.MAX_SAFE_INTEGER).optional().describe('`seq` to go on from'),
          limit: limit(20, 100),
        }),
        response: answers(MessagePage),
      },
    },
    async (request) => {
      const { id } = request.params;
      if (registry.get(id) === null) {
        throw new QuanweiError('NOT_FOUND', '没有此设备 · there is no such device', { where: id });
      }
      const { timezone } = config.site;
      const { before, limit: most } = request.query;
      const page = { limit: most, ...(before === undefined ? {} : { before }) };
      const messages = await keptMessages({ registry, journal, catalogue, timezone }, id, page);
      return { messages: messages as z.output<typeof MessageView>[] };
    },
  );
}
