import { z } from 'zod';
import { type AlarmAction, AlarmDeed, type AlarmDeedType } from '../../alarms/actions.ts';
import { ALARM_KINDS, type Alarm } from '../../alarms/alarm.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { AlarmId, AlarmView, answers, EntryView } from '../forms.ts';
import { actorOf, person } from '../guard.ts';
import { entryView } from '../live.ts';
import { Outdated, Problem } from '../problems.ts';
import type { Role } from '../roles.ts';
import type { Api, Context } from './context.ts';

/** Who may do what to an alarm. What hides an alarm or undoes another's work takes more than looking after it. */
const WHO: Record<AlarmDeedType, Role> = {
  acknowledge: 'operator',
  accept: 'operator',
  dispatch: 'operator',
  handle: 'operator',
  note: 'operator',
  close: 'operator',
  false: 'operator',
  reset: 'operator',
  merge: 'operator',
  regrade: 'operator',
  return: 'manager',
  shelve: 'manager',
  unshelve: 'operator',
};

const Revision = z
  .int()
  .min(0)
  .optional()
  .describe('The revision that was looked at; when the alarm has moved on since, CONFLICT with the alarm as it is');
const Named = z.object({ id: AlarmId });
const TIMELINE = 500;
const BULK = 200;

export function alarmRoutes(app: Api, { board, journal }: Context): void {
  app.get(
    '/api/alarms/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alarms'],
        summary: '警情详情 one alarm and all that was done about it',
        params: Named,
        response: answers(z.object({ alarm: AlarmView, timeline: z.array(EntryView) })),
      },
    },
    async (request) => {
      const alarm = found(board.get(request.params.id), request.params.id);
      // The newest matter most, should there ever be more than fit.
      const timeline = journal.read({ subject: alarm.id, kinds: ALARM_KINDS, limit: TIMELINE, newestFirst: true });
      return { alarm, timeline: timeline.reverse().map(entryView) };
    },
  );

  const act = async (action: AlarmAction, by: { actor: string; role: Role }): Promise<Alarm> => {
    try {
      return await board.transact((tx) => tx.act(action, by));
    } catch (thrown) {
      if (thrown instanceof QuanweiError && thrown.code === 'CONFLICT') {
        throw new Outdated(thrown, board.get(action.alarm));
      }
      throw thrown;
    }
  };

  for (const deed of AlarmDeed.options) {
    const type = deed.shape.type.value;
    // Cast: every member of the union without its type, which is in the path, and with the revision.
    const body = (deed as z.ZodObject).omit({ type: true }).extend({ revision: Revision });
    app.post(
      `/api/alarms/:id/${type}`,
      {
        config: { access: WHO[type] },
        schema: {
          tags: ['alarms'],
          summary: deed.description ?? type,
          params: Named,
          // A deed that needs no words needs no body.
          body: body.or(z.null().transform(() => ({}))),
          response: { ...answers(AlarmView), 409: Problem.extend({ current: AlarmView.nullable() }) },
        },
      },
      async (request) => {
        const action = { ...request.body, type, alarm: request.params.id } as AlarmAction;
        return act(action, { actor: actorOf(request), role: person(request).account.role });
      },
    );
  }

  app.post(
    '/api/alarms/acknowledge',
    {
      config: { access: WHO.acknowledge },
      schema: {
        tags: ['alarms'],
        summary: '批量确认 acknowledge several; each stands or falls by itself',
        body: z.strictObject({
          alarms: z
            .array(z.strictObject({ id: AlarmId, revision: Revision }))
            .min(1)
            .max(BULK),
        }),
        response: answers(
          z.object({ done: z.array(AlarmView), refused: z.array(z.object({ id: z.string(), why: z.string() })) }),
        ),
      },
    },
    async (request) => {
      const by = { actor: actorOf(request), role: person(request).account.role };
      const done: Alarm[] = [];
      const refused: { id: string; why: string }[] = [];
      // Begun together, so that they share one commit.
      await Promise.all(
        request.body.alarms.map(({ id, revision }) =>
          act({ type: 'acknowledge', alarm: id, revision }, by).then(
            (alarm) => void done.push(alarm),
            (thrown: unknown) => {
              if (!(thrown instanceof QuanweiError && thrown.family === 'caller')) throw thrown;
              refused.push({ id, why: messageOf(thrown) });
            },
          ),
        ),
      );
      return { done, refused };
    },
  );
}

function found(alarm: Alarm | null, id: string): Alarm {
  if (alarm === null) throw new QuanweiError('NOT_FOUND', '没有这条警情 there is no such alarm', { where: id });
  return alarm;
}
