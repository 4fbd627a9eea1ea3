import { z } from 'zod';
import { answers, DeviceId, EntryView, limit, queryNumber, someText } from '../forms.ts';
import { actorOf } from '../guard.ts';
import { entryView } from '../live.ts';
import type { Api, Context } from './context.ts';

const Outcome = z.object({
  ok: z.boolean(),
  code: z
    .enum(['opened', 'sent', 'refused', 'timeout', 'offline'])
    .describe('`sent`: this device never answers; the message is on its way'),
  detail: z.string().describe('In the device’s own words'),
  ms: z.number(),
  command: z.string().describe('Id of the `door.command` entry'),
});
export const DoorView = z
  .object({
    id: z.string(),
    name: z.string(),
    place: z.string(),
    connected: z.boolean(),
    last: Outcome.extend({ at: z.number(), actor: z.string() }).nullable().describe('The last command of this run'),
  })
  .meta({ id: 'Door' });
const Named = z.object({ id: DeviceId });
const KINDS = ['door.command', 'door.result'] as const;

export function doorRoutes(app: Api, { doors, journal }: Context): void {
  const tags = ['doors'];
  app.get(
    '/api/doors',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: '门列表 doors that can be opened',
        response: answers(z.object({ doors: z.array(DoorView) })),
      },
    },
    async () => ({ doors: doors.list() }),
  );

  app.post(
    '/api/doors/:id/open',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: '开门 open a door; answered when the device has answered',
        params: Named,
        body: z.strictObject({ reason: someText(200).describe('Kept in the journal with your name') }),
        response: answers(Outcome),
      },
    },
    async (request) =>
      doors.open({
        door: request.params.id,
        actor: actorOf(request),
        reason: request.body.reason,
        source: 'operator',
      }),
  );

  app.get(
    '/api/doors/:id/records',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: '开门记录 who opened it and who passed, newest first',
        params: Named,
        querystring: z.strictObject({
          before: queryNumber(1, Number.MAX_SAFE_INTEGER).optional().describe('`seq` to go on from'),
          limit: limit(50, 200),
        }),
        response: answers(z.object({ records: z.array(EntryView) })),
      },
    },
    async (request) => {
      const { before, limit: most } = request.query;
      const records = await journal.readInTurns({
        subject: request.params.id,
        kinds: [...KINDS, 'message'],
        limit: most,
        newestFirst: true,
        ...(before === undefined ? {} : { before }),
      });
      return { records: records.map(entryView) };
    },
  );
}
