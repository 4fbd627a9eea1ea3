import { z } from 'zod';
import { type AlarmAction, AlarmDeed, type AlarmDeedType } from '../../alarms/actions.ts';
import { ALARM_KINDS, type Alarm, asks } from '../../alarms/alarm.ts';
import { drill, type REPORT_CHANNELS, Report } from '../../alarms/reports.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { ALARM_SEARCH, filterOf } from '../alarm-search.ts';
import {
  AlarmId,
  AlarmView,
  answers,
  CategoryName,
  DeviceId,
  EntryView,
  Evidence,
  limit,
  someText,
  text,
} from '../forms.ts';
import { actorOf, person } from '../guard.ts';
import { laterEvidence } from '../later-evidence.ts';
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

const Search = z.strictObject({
  ...ALARM_SEARCH,
  before: AlarmId.optional().describe('`next` of the page before'),
  limit: limit(500, 500),
});

export const AlarmPage = z.object({
  seq: z.int().describe('The list is as of this entry of the journal; follow `/api/live?after=` from here'),
  alarms: z.array(AlarmView),
  next: z.string().nullable().describe('`before` of the next page; `null`: that was all'),
  total: z.int().nullable().describe('How many there are in all; `null` where counting would keep alarms waiting'),
});

export const AlarmDetail = z.object({
  alarm: AlarmView,
  timeline: z.array(EntryView),
  pictures: z.array(Evidence).describe('Sharper than those of `alarm.evidence`; they come a moment after the alarm'),
  clips: z.array(Evidence).describe('Recorded by the camera; they come some seconds after the alarm'),
});

/** Ways by which an operator is told something; orders of the centre come from the centre, drills by their own route. */
const TOLD = ['resident', 'phone', 'visit', 'letter', 'patrol'] as const satisfies (keyof typeof REPORT_CHANNELS)[];
const Told = Report.omit({ evidence: true, minutes: true }).extend({
  channel: z.enum(TOLD),
  place: text(200).default(''),
  text: someText(1_000).describe('What was told'),
});
const Drill = z.strictObject({
  category: CategoryName,
  place: text(200).default(''),
  device: DeviceId.optional(),
  text: someText(1_000),
  minutes: Report.shape.minutes,
});

/** What needs a person first comes first, so that a page that is cut short is cut at the harmless end. */
const byNeed = (a: Alarm, b: Alarm): number =>
  Number(asks(b)) - Number(asks(a)) || a.level - b.level || a.raisedAt - b.raisedAt;

export function alarmRoutes(app: Api, { board, clock, journal }: Context): void {
  app.get(
    '/api/alarms',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alarms'],
        summary: '警情列表 the open alarms, gravest first; with any filter: a search, newest first',
        querystring: Search,
        response: answers(AlarmPage),
      },
    },
    async (request) => {
      const { before, limit: most, ...search } = request.query;
      const seq = journal.head();
      const plain =
        search.state === 'open' && Object.keys(request.query).every((key) => key === 'state' || key === 'limit');
      if (plain) {
        const open = board.open().sort(byNeed);
        const next = open.length > most ? (open[most - 1]?.id ?? null) : null;
        return { seq, alarms: open.slice(0, most), next, total: open.length };
      }
      const filter = filterOf(search);
      const page = board.page({ ...filter, before, limit: most });
      // Whoever turns the pages has been told with the first.
      return { seq, ...page, total: before === undefined ? board.count(filter) : null };
    },
  );

  app.get(
    '/api/alarms/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alarms'],
        summary: '警情详情 one alarm and all that was done about it',
        params: Named,
        response: answers(AlarmDetail),
      },
    },
    async (request) => {
      const alarm = found(board.get(request.params.id), request.params.id);
      // The newest matter most, should there ever be more than fit.
      const timeline = journal.read({ subject: alarm.id, kinds: ALARM_KINDS, limit: TIMELINE, newestFirst: true });
      const later = await laterEvidence(journal, alarm, timeline, clock.wall());
      const [pictures, clips] = (['picture', 'clip'] as const).map((kind) => later.filter((one) => one.kind === kind));
      return { alarm, timeline: timeline.reverse().map(entryView), pictures: pictures ?? [], clips: clips ?? [] };
    },
  );

  const act = async (action: AlarmAction, by: { actor: string; role: Role }): Promise<Alarm> => {
    try {
      return await board.transact((tx) => tx.act(action, by));
    } catch (thrown) {
      if (thrown instanceof QuanweiError && thrown.code === 'CONFLICT') {
        // Whoever was faster may be in the very commit that is under way: asked in turn, the answer is after it.
        throw new Outdated(thrown, await board.transact((tx) => tx.get(action.alarm)));
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

export function reportRoutes(app: Api, { board }: Context): void {
  app.post(
    '/api/alarms/report',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['alarms'],
        summary: '登记上报 what a resident, a caller, a visitor or a letter told (随手拍·电话·来访·信件)',
        body: Told,
        response: answers(AlarmView),
      },
    },
    async (request) => {
      const by = { actor: actorOf(request), role: person(request).account.role };
      return board.transact((tx) => tx.raise(request.body, by));
    },
  );

  app.post(
    '/api/alarms/drill',
    {
      config: { access: 'manager' },
      schema: {
        tags: ['alarms'],
        summary: '演练 practise: as in earnest, but nothing rings and no door opens',
        body: Drill,
        response: answers(AlarmView),
      },
    },
    async (request) => {
      const { device, ...what } = request.body;
      const by = { actor: actorOf(request), role: person(request).account.role };
      return board.transact((tx) => tx.raise(drill({ ...what, ...(device === undefined ? {} : { device }) }), by));
    },
  );
}

function found(alarm: Alarm | null, id: string): Alarm {
  if (alarm === null) throw new QuanweiError('NOT_FOUND', '没有这条警情 · there is no such alarm', { where: id });
  return alarm;
}
