import { z } from 'zod';
import { withoutLogin } from '../../kernel/addresses.ts';
import type { Order } from '../../upstream/order.ts';
import { topicsOf } from '../../upstream/topics.ts';
import { answers, limit, queryNumber } from '../forms.ts';
import type { Api, Context } from './context.ts';

const RECEIPTS = 20;
/** Entries that are looked through for the answers to a page of orders. */
const ANSWERS = 1_000;

const Counts = z.record(z.string(), z.number()).readonly();
const State = z.looseObject({
  connected: z.boolean(),
  since: z.number().describe('Since when it is connected or not'),
  error: z.string().nullable(),
  attempts: z.int().describe('To connect, since it last was'),
  connections: z.int().describe('Made since the start'),
  lanes: z
    .array(z.object({ waiting: z.int(), oldestMs: z.number() }))
    .readonly()
    .describe('Level-1 alarms, other alarms, records of doors and devices, the rest'),
  waiting: z.int().describe('Entries the centre has not confirmed'),
  oldestAlarmMs: z.number(),
  inflight: z.int(),
  lastConfirmed: z.number().nullable(),
  latencyMs: z.number().nullable(),
  counts: Counts.describe('Since the start: sent, resent, confirmed, rejected, expired, coalesced …'),
  orders: Counts.describe('Since the start: received, done, refused, repeated, ignored'),
});
const Answered = z.object({
  seq: z.int(),
  alarm: z.string().nullable(),
  topic: z.string(),
  at: z.number(),
  ms: z.number().describe('From handing it to the line to the answer'),
  rejected: z.string().nullable().describe('Why it was refused for good'),
});
export const Upstream = z.object({
  configured: z.boolean(),
  url: z.string().nullable(),
  confirm: z.enum(['broker', 'receipt']).nullable(),
  topics: z.record(z.string(), z.string()).nullable().describe('What passes between this site and its centre, where'),
  state: State.nullable().describe('`null` when no centre is configured'),
  receipts: z.array(Answered).describe('The newest answers of the centre of this run, newest first'),
});

const OrderView = z.object({
  seq: z.int(),
  id: z.string(),
  type: z.string(),
  by: z.string(),
  at: z.number().describe('When it came'),
  subject: z.string().nullable().describe('The alarm, door or device it is about'),
  text: z.string().nullable().describe('Reason, result or note'),
  answer: z
    .object({ at: z.number(), ok: z.boolean(), code: z.string(), detail: z.string() })
    .nullable()
    .describe('`null`: not answered yet'),
});
export const OrderPage = z.object({
  orders: z.array(OrderView),
  next: z.int().nullable().describe('`before` of the next page'),
});

export function upstreamRoutes(app: Api, { bridge, config, journal }: Context): void {
  app.get(
    '/api/upstream',
    {
      config: { access: 'viewer' },
      schema: { tags: ['upstream'], summary: '上报状态 the way to the command centre', response: answers(Upstream) },
    },
    async () => {
      const topics = topicsOf(config.site);
      const { event, ...others } = topics;
      return {
        configured: bridge !== null,
        // A URL may carry a password; nobody who only looks needs it.
        url: config.upstream === undefined ? null : withoutLogin(config.upstream.url),
        confirm: config.upstream?.confirm ?? null,
        topics: bridge === null ? null : { event: event('{category}'), ...others },
        state: bridge === null ? null : { ...bridge.state(), counts: { ...bridge.state().counts } },
        receipts: bridge?.receipts(RECEIPTS) ?? [],
      };
    },
  );

  app.get(
    '/api/upstream/orders',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['upstream'],
        summary: '上级指令 orders of the centre with their answers, newest first',
        querystring: z.strictObject({
          before: queryNumber(1, Number.MAX_SAFE_INTEGER).optional().describe('`next` of the page before'),
          limit: limit(50, 200),
        }),
        response: answers(OrderPage),
      },
    },
    async (request) => {
      const { before, limit: most } = request.query;
      const from = before === undefined ? {} : { before };
      const entries = journal.read({ kinds: ['order.received'], limit: most + 1, newestFirst: true, ...from });
      const shown = entries.slice(0, most);
      const oldest = shown.at(-1)?.seq ?? 0;
      const replies = new Map(
        journal
          .read({ kinds: ['order.replied'], after: oldest, limit: ANSWERS })
          .map(({ subject, wall, body }) => [subject, { wall, body }] as const),
      );
      const orders = shown.map(({ seq, subject, wall, body }) => {
        const { order } = (body ?? {}) as { order?: Partial<Order> };
        const reply = replies.get(subject);
        const { ok = false, code = '', detail = '' } = (reply?.body ?? {}) as Partial<Record<string, unknown>>;
        return {
          ...{ seq, id: subject ?? '', type: order?.type ?? '?', by: order?.by ?? '', at: wall },
          ...aboutOf(order ?? {}),
          answer:
            reply === undefined
              ? null
              : { at: reply.wall, ok: ok === true, code: String(code), detail: String(detail) },
        };
      });
      return { orders, next: entries.length > most ? oldest : null };
    },
  );
}

function aboutOf(order: Readonly<Record<string, unknown>>): { subject: string | null; text: string | null } {
  const first = (names: readonly string[]): string | null => {
    const found = names.map((name) => order[name]).find((value) => typeof value === 'string');
    return typeof found === 'string' ? found : null;
  };
  return { subject: first(['alarm', 'door', 'device']), text: first(['reason', 'result', 'note', 'text', 'what']) };
}
