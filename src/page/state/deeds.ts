import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import { Refused, request } from '../api/request.ts';
import type { Alarm } from '../api/types.ts';
import type { AskField } from '../parts/AskDialog.vue';
import { useAsking } from '../parts/asking.ts';
import { now } from '../words/time.ts';
import { colon, handlingWord, levelWord, pick, t } from '../words/words.ts';
import { type Deed, isStillActive } from './alarm.ts';
import { useAlarms } from './alarms.ts';
import { useSession } from './session.ts';
import { useToasts } from './toasts.ts';

const MINUTE = 60_000;
/** What is refused because somebody else was faster, and not because it was wrong. */
const FASTER = ['STALE', 'ACKNOWLEDGED', 'CLOSED'];
/** More choices than this are no choice; the nearest come first. */
const MERGE_CHOICES = 100;

const words = (name: string, label: string, optional = false): AskField => ({ name, label, type: 'words', optional });
const choice = (name: string, label: string, choices: AskField['choices'] & {}, value?: string): AskField => ({
  name,
  label,
  type: 'choice',
  choices,
  ...(value === undefined ? {} : { value }),
});

/** What people do to alarms: asks for the words a deed takes, sends it, and says it when another person was faster. */
export const useDeeds = defineStore('deeds', () => {
  const alarms = useAlarms();
  const session = useSession();
  const asking = useAsking();
  const toasts = useToasts();
  /** Alarms of which something is on its way: pressed twice is done once. */
  const busy = shallowRef<ReadonlySet<string>>(new Set());

  const categoryOf = ({ category }: Alarm): string => pick(session.vocabulary?.categories[category], category);

  /** What the person is asked for; nothing for what needs no words. */
  function fieldsOf(deed: Deed, alarm: Alarm): AskField[] {
    switch (deed) {
      case 'dispatch':
        return [{ name: 'to', label: t('alarm.to'), max: 64 }, words('note', t('alarm.noteText'), true)];
      case 'handle':
        return [words('result', t('alarm.resultText'))];
      case 'close':
        return [
          ...(alarm.handling === 'handled' ? [] : [words('result', t('alarm.resultText'))]),
          ...(isStillActive(alarm) ? [words('reason', t('alarm.closeReason'))] : []),
        ];
      case 'false':
      case 'return':
      case 'reset':
        return [words('reason', t('alarm.reason'))];
      case 'note':
        return [words('note', t('alarm.noteText'))];
      case 'shelve':
        return [
          choice('minutes', t('alarm.shelveFor'), [
            ['30', t('alarm.minutes30')],
            ['120', t('alarm.hours2')],
            ['480', t('alarm.hours8')],
            ['1440', t('alarm.day')],
          ]),
          words('reason', t('alarm.reason')),
        ];
      case 'regrade':
        return [
          choice(
            'level',
            t('alarm.newLevel'),
            ([1, 2, 3] as const).filter((level) => level < alarm.level).map((level) => [`${level}`, levelWord(level)]),
            `${alarm.level - 1}`,
          ),
          words('reason', t('alarm.reason')),
        ];
      case 'merge':
        return [choice('into', t('alarm.mergeInto'), mergeable(alarm)), words('reason', t('alarm.reason'), true)];
      default:
        return [];
    }
  }

  /** Those that may stand for it: as grave or graver, and in earnest or practice like it; of the same place first. */
  function mergeable(alarm: Alarm): [string, string][] {
    const near = (other: Alarm) => Number(other.place !== alarm.place) + Number(other.category !== alarm.category);
    return alarms.open
      .filter((other) => other.id !== alarm.id && other.level <= alarm.level && other.drill === alarm.drill)
      .sort((a, b) => near(a) - near(b))
      .slice(0, MERGE_CHOICES)
      .map((other) => [
        other.id,
        [levelWord(other.level), categoryOf(other), other.place, other.deviceName].filter(Boolean).join(' '),
      ]);
  }

  /** What goes over the wire, from what was typed. */
  function bodyOf(deed: Deed, { revision }: Alarm, typed: Record<string, string>): Record<string, unknown> {
    const said = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== ''));
    // A note changes nothing that anybody decided on.
    if (deed === 'note') return said;
    if (deed === 'regrade') return { ...said, level: Number(said['level']), revision };
    if (deed === 'shelve') {
      return { until: Math.round(now() + Number(said['minutes']) * MINUTE), reason: said['reason'], revision };
    }
    return { ...said, revision };
  }

  async function send(deed: Deed, alarm: Alarm, typed: Record<string, string>): Promise<boolean> {
    busy.value = new Set([...busy.value, alarm.id]);
    try {
      alarms.take(await request<Alarm>(`/api/alarms/${alarm.id}/${deed}`, { body: bodyOf(deed, alarm, typed) }));
      return true;
    } catch (thrown) {
      if (!(thrown instanceof Refused) || thrown.code !== 'CONFLICT') throw thrown;
      const current = thrown.current as Alarm | null | undefined;
      if (current) alarms.take(current);
      if (!FASTER.includes(thrown.hint ?? '')) throw thrown;
      toasts.tell(current ? whoWasFaster(current) : t('alarm.conflict'), 'bad');
      return false;
    } finally {
      busy.value = new Set([...busy.value].filter((id) => id !== alarm.id));
    }
  }

  function whoWasFaster(current: Alarm): string {
    const who = current.closedBy ?? current.assignee ?? current.acknowledgedBy;
    const state = current.handling === 'open' ? t('alarm.acknowledged') : handlingWord(current.handling);
    return `${t('alarm.conflict')}${colon()}${state}${who === null ? '' : ` · ${who}`}`;
  }

  /**
   * Does it to the alarm as the person sees it, after asking for the words it needs. What goes wrong is said.
   * @returns whether it was done
   */
  async function perform(deed: Deed, alarm: Alarm): Promise<boolean> {
    if (busy.value.has(alarm.id)) return false;
    const fields = fieldsOf(deed, alarm);
    if (fields.some(({ choices }) => choices?.length === 0)) {
      toasts.tell(t('alarm.nothingToMerge'), 'bad');
      return false;
    }
    let done = false;
    // Closing cannot be taken back, so it is asked for also when nothing has to be said.
    if (fields.length === 0 && deed !== 'close') {
      await toasts.attempt(async () => {
        done = await send(deed, alarm, {});
      });
      return done;
    }
    await asking.ask({
      title: `${t(`alarm.${deed}`)} · ${categoryOf(alarm)}`,
      explain: [alarm.place, alarm.deviceName].filter(Boolean).join(' · '),
      fields,
      action: t(`alarm.${deed}`),
      grave: deed === 'close' || deed === 'false',
      send: async (typed) => {
        done = await send(deed, alarm, typed);
      },
    });
    return done;
  }

  return { busy, perform };
});
