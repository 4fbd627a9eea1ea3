import { request } from '../../api/request.ts';
import type { Alarm } from '../../api/types.ts';
import type { AskField } from '../../parts/AskDialog.vue';
import { useAsking } from '../../parts/asking.ts';
import { useAlarms } from '../../state/alarms.ts';
import { useSession } from '../../state/session.ts';
import { useToasts } from '../../state/toasts.ts';
import { pick, t, wordOf } from '../../words/words.ts';

/** Ways by which somebody tells the guard something; the centre and the devices have theirs. */
const TOLD = ['phone', 'resident', 'visit', 'letter', 'patrol'] as const;

/** For so long a drill may go on; the gateway takes four hours at most. */
const DRILL_MINUTES = [15, 30, 60, 120] as const;

const given = (typed: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== ''));

/** Alarms that people make: what somebody told, and practice. */
export function useTelling(): { report(): Promise<boolean>; drill(): Promise<boolean> } {
  const alarms = useAlarms();
  const session = useSession();
  const asking = useAsking();
  const toasts = useToasts();

  const category = (value: string): AskField => ({
    name: 'category',
    label: t('alarm.what'),
    type: 'choice',
    choices: Object.entries(session.vocabulary?.categories ?? {}).map(([key, names]) => [key, pick(names, key)]),
    value,
  });
  const place = (optional: boolean): AskField => ({ name: 'place', label: t('alarm.where'), optional });
  const text = (label: string): AskField => ({ name: 'text', label, type: 'words' });

  /** By phone, at the counter, by letter, with a picture: one ledger for all. */
  const report = (): Promise<boolean> =>
    asking.ask({
      title: t('alarm.report'),
      fields: [
        {
          name: 'channel',
          label: t('alarm.reportHow'),
          type: 'choice',
          choices: TOLD.map((channel) => [channel, wordOf('alarm.channel', channel)]),
        },
        category('report.resident'),
        place(false),
        text(t('alarm.words')),
        { name: 'reporter', label: t('alarm.reporter'), optional: true, max: 64 },
        { name: 'contact', label: t('alarm.contact'), optional: true, max: 64 },
      ],
      action: t('alarm.report'),
      send: async (typed) => {
        const alarm = await request<Alarm>('/api/alarms/report', { body: given(typed) });
        alarms.take(alarm);
        toasts.tell(`${t('alarm.reportDone')} ${String(alarm.detail['receipt'] ?? '')}`);
      },
    });

  /** Everything as in earnest, and nothing rings or opens. */
  const drill = (): Promise<boolean> =>
    asking.ask({
      title: t('alarm.startDrill'),
      explain: t('alarm.drillText'),
      fields: [
        category('fire.button'),
        place(true),
        text(t('alarm.drillWhat')),
        {
          name: 'minutes',
          label: t('alarm.drillFor'),
          type: 'choice',
          choices: [
            ['', t('alarm.drillOnce')],
            ...DRILL_MINUTES.map((n): [string, string] => [`${n}`, t('devices.minutes', { n })]),
          ],
          optional: true,
          hint: t('alarm.drillWarning'),
        },
      ],
      action: t('alarm.startDrill'),
      send: async (typed) => {
        const { minutes, ...what } = given(typed);
        const body = { ...what, ...(minutes === undefined ? {} : { minutes: Number(minutes) }) };
        alarms.take(await request<Alarm>('/api/alarms/drill', { body }));
      },
    });

  return { report, drill };
}
