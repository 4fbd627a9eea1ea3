import { z } from 'zod';
import { ALARM_KINDS, type Alarm } from '../../alarms/alarm.ts';
import type { Entry, EntryKind } from '../../journal/entry.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { AlarmId, AlarmView, answers, EntryView } from '../forms.ts';
import { person } from '../guard.ts';
import { entryView } from '../live.ts';
import { atLeast } from '../roles.ts';
import type { Api, Context } from './context.ts';

/** What belongs to an alarm without being it: what happened around it, what it set off, what the centre knows of it. */

const Named = z.object({ id: AlarmId });
/** Before it was raised and after it was last told of, ms. */
const AROUND_MS = 15 * 60_000;
const ALARMS = 20;
const EARLIER = 10;
const DOOR_RECORDS = 50;
const LINKED = 100;
/** Entries looked through on either side. */
const LOOKED_AT = 300;
const TIMELINE = 500;
const CAMERAS = 6;
const NEAR = ['own', 'place', 'area'] as const;
const DOOR_KINDS: readonly EntryKind[] = ['door.command', 'door.result', 'door.decision'];
/** Lane of messages that tell who passed a door. */
const PASSAGES = 2;

const Linked = z.object({
  door: z.string(),
  name: z.string(),
  place: z.string(),
  at: z.number(),
  ok: z.boolean().nullable().describe('`null`: no answer is on record'),
  code: z.string(),
  detail: z.string(),
  ms: z.number().nullable(),
});

export const Related = z.object({
  from: z.number(),
  to: z.number(),
  alarms: z.array(AlarmView).describe('Others of the same place around that time'),
  earlier: z.array(AlarmView).describe('Earlier ones of the same device'),
  doors: z
    .array(z.object({ name: z.string(), place: z.string(), entry: EntryView }))
    .nullable()
    .describe('Who passed and what was opened there around that time; `null` for who may not see it'),
  linkage: z.array(Linked).describe('Doors that were released because of it, each time they were'),
  cameras: z
    .array(z.object({ id: z.string(), name: z.string(), place: z.string(), near: z.enum(NEAR) }))
    .describe('Cameras that may see the place, the nearest first'),
});

export const Told = z.object({
  configured: z.boolean(),
  confirm: z.enum(['broker', 'receipt']).nullable().describe('Who confirms: the broker of the centre, or the centre'),
  connected: z.boolean(),
  entries: z.array(
    z.object({
      seq: z.int(),
      kind: z.string(),
      wall: z.number(),
      state: z
        .enum(['waiting', 'sent', 'taken', 'confirmed', 'rejected', 'passed'])
        .describe('`passed`: confirmed before the last start, or a repetition that a newer one told'),
      at: z.number().nullable().describe('When it was confirmed or refused, if that is remembered'),
      ms: z.number().nullable(),
      reason: z.string().nullable(),
    }),
  ),
});

export function alarmAroundRoutes(app: Api, { board, journal, registry, config, cameras, bridge }: Context): void {
  const about = (id: string): { name: string; place: string } => {
    const { name = id, place = '' } = registry.get(id) ?? {};
    return { name, place };
  };

  app.get(
    '/api/alarms/:id/related',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alarms'],
        summary: '关联信息 what happened around an alarm: others, doors, cameras, what it set off',
        params: Named,
        response: answers(Related),
      },
    },
    async (request) => {
      const alarm = found(board.get(request.params.id), request.params.id);
      const [from, to] = [alarm.raisedAt - AROUND_MS, Math.max(alarm.lastAt, alarm.raisedAt) + AROUND_MS];
      const area = areaOf(alarm.place);
      const others = (more: object, limit: number): Alarm[] =>
        board.page({ limit: limit + 1, ...more }).alarms.filter(({ id }) => id !== alarm.id);
      const raised = journal.read({ subject: alarm.id, kinds: ['alarm.raised'], limit: 1 })[0]?.seq ?? journal.head();
      return {
        from,
        to,
        alarms: area === '' ? [] : others({ place: area, from, to }, ALARMS).slice(0, ALARMS),
        earlier:
          alarm.device === '' ? [] : others({ device: alarm.device, before: alarm.id }, EARLIER).slice(0, EARLIER),
        doors: atLeast(person(request).account.role, 'operator') ? doorsAround(alarm, raised, { from, to }) : null,
        linkage: linkageOf(alarm, raised),
        cameras: camerasOf(alarm),
      };
    },
  );

  function doorsAround(alarm: Alarm, raised: number, { from, to }: { from: number; to: number }) {
    const area = areaOf(alarm.place);
    const side = (kinds: readonly EntryKind[], lanes: readonly 2[] | undefined): Entry[] => {
      const what = { kinds, limit: LOOKED_AT, ...(lanes === undefined ? {} : { lanes }) };
      return [
        ...journal.read({ ...what, before: raised, newestFirst: true }),
        ...journal.read({ ...what, after: raised }),
      ];
    };
    return [...side(DOOR_KINDS, undefined), ...side(['message'], [PASSAGES])]
      .filter(({ wall, subject }) => wall >= from && wall <= to && subject !== null)
      .map((entry) => ({ ...about(entry.subject ?? ''), entry }))
      .filter(({ place, entry }) => entry.subject === alarm.device || (area !== '' && areaOf(place) === area))
      .sort((a, b) => Math.abs(a.entry.wall - alarm.raisedAt) - Math.abs(b.entry.wall - alarm.raisedAt))
      .slice(0, DOOR_RECORDS)
      .sort((a, b) => a.entry.seq - b.entry.seq)
      .map(({ name, place, entry }) => ({ name, place, entry: entryView(entry) }));
  }

  /** Every release of a door for it with the last word on it: one that comes again opens them again. */
  function linkageOf(alarm: Alarm, raised: number): z.output<typeof Linked>[] {
    const entries = journal.read({ kinds: ['door.command', 'door.result'], after: raised, limit: LOOKED_AT });
    const releases = new Map<string, z.output<typeof Linked>>();
    for (const { id, kind, subject, wall, body } of entries) {
      if (subject === null || typeof body !== 'object' || body === null) continue;
      const { alarm: cause, command, ok, code, detail, ms } = body as Record<string, unknown>;
      const release = kind === 'door.result' && typeof command === 'string' ? command : id;
      const before = releases.get(release);
      if (before === undefined && cause !== alarm.id) continue;
      const one = { door: subject, ...about(subject), at: before?.at ?? wall };
      if (kind === 'door.command') {
        releases.set(release, { ...one, ok: null, code: 'sent', detail: '', ms: null });
      } else if (before?.ok !== true) {
        const took = typeof ms === 'number' ? ms : null;
        releases.set(release, { ...one, ok: ok === true, code: String(code), detail: String(detail ?? ''), ms: took });
      }
    }
    return [...releases.values()].slice(0, LINKED);
  }

  function camerasOf(alarm: Alarm) {
    const area = areaOf(alarm.place);
    const near = (id: string, place: string): (typeof NEAR)[number] | null => {
      if (id === alarm.device) return 'own';
      if (area === '' || areaOf(place) !== area) return null;
      return place === alarm.place ? 'place' : 'area';
    };
    return cameras
      .all()
      .flatMap(({ id, name = id, place }) => {
        const how = near(id, place);
        return how === null ? [] : [{ id, name, place, near: how }];
      })
      .sort((a, b) => NEAR.indexOf(a.near) - NEAR.indexOf(b.near))
      .slice(0, CAMERAS);
  }

  app.get(
    '/api/alarms/:id/upstream',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alarms', 'upstream'],
        summary: '上报与回执 what the centre was told of an alarm, and what of it is confirmed',
        params: Named,
        response: answers(Told),
      },
    },
    async (request) => {
      const alarm = found(board.get(request.params.id), request.params.id);
      if (bridge === null) return { configured: false, confirm: null, connected: false, entries: [] };
      const refused = new Map(
        journal.read({ subject: alarm.id, kinds: ['upstream.rejected'], limit: TIMELINE }).map(({ wall, body }) => {
          const { seq, reason } = body as { seq: number; reason: string };
          return [seq, { at: wall, reason }] as const;
        }),
      );
      const entries = journal
        .read({ subject: alarm.id, kinds: ALARM_KINDS, limit: TIMELINE, newestFirst: true })
        .reverse()
        .filter(({ lane }) => lane !== null)
        .map((entry) => {
          const { seq, kind, wall } = entry;
          const no = refused.get(seq);
          const fate = bridge.fate(entry);
          return no === undefined
            ? { seq, kind, wall, ...fate }
            : { seq, kind, wall, state: 'rejected' as const, at: no.at, ms: fate.ms, reason: no.reason };
        });
      const { confirm = null } = config.upstream ?? {};
      return { configured: true, confirm, connected: bridge.state().connected, entries };
    },
  );
}

/** The building or part of the compound: what stands before the first stroke of a place. */
const areaOf = (place: string): string => place.split('/')[0]?.trim() ?? '';

function found(alarm: Alarm | null, id: string): Alarm {
  if (alarm === null) throw new QuanweiError('NOT_FOUND', '没有这条警情 · there is no such alarm', { where: id });
  return alarm;
}
