import { z } from 'zod';
import { DOOR_RECORD_KINDS, doorRecords } from '../../doors/records.ts';
import { answers, DeviceId, limit, queryNumber, queryTime, queryWords, text } from '../forms.ts';
import type { Api, Context } from './context.ts';

const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export const DoorRecordView = z
  .object({
    seq: z.int(),
    n: z.int().describe('Which of the events of its message'),
    id: z.string(),
    at: z.number(),
    deviceTime: z.number().nullable(),
    door: z.string(),
    doorName: z.string(),
    kind: z.enum(DOOR_RECORD_KINDS),
    category: z.string().nullable().describe('`null`: opened from here, or decided by the box'),
    active: z.boolean(),
    replayed: z.boolean().describe('Told late'),
    detail: z.record(z.string(), Scalar).readonly(),
    actor: z.string(),
    source: z.string().nullable().describe('operator, centre, linkage, face'),
    reason: z.string().nullable(),
    result: z
      .object({ ok: z.boolean(), code: z.string(), detail: z.string(), ms: z.number() })
      .nullable()
      .describe('What came of opening it; `null` while nobody knows'),
  })
  .meta({ id: 'DoorRecord' });
export const DoorRecordPage = z.object({
  records: z.array(DoorRecordView),
  next: z.int().nullable().describe('`before` of the next page; `null`: that was all. A page may be short, or empty'),
});

export function doorRecordRoutes(app: Api, { journal, registry, clock }: Context): void {
  const nameOf = (door: string): string => registry.get(door)?.name ?? '';
  app.get(
    '/api/doors/records',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['doors'],
        summary: '门禁记录 who passed, who was refused, who opened what, over all doors; newest first',
        querystring: z.strictObject({
          door: DeviceId.optional(),
          kinds: queryWords(DOOR_RECORD_KINDS).optional(),
          text: text(100).optional().describe('In who it was, the card, the reason, who opened, the door'),
          from: queryTime.optional(),
          to: queryTime.optional(),
          before: queryNumber(1, Number.MAX_SAFE_INTEGER).optional(),
          limit: limit(50, 200),
        }),
        response: answers(DoorRecordPage),
      },
    },
    async (request) => {
      const { records, next } = await doorRecords(journal, request.query, clock.wall(), nameOf);
      return { records: records.map((record) => ({ ...record, doorName: nameOf(record.door) })), next };
    },
  );
}
