import type { Alarm } from '../../api/types.ts';
import { fullTime } from '../../words/time.ts';
import { factValue, factWord } from '../../words/told.ts';
import { conditionWord, handlingWord, t, wordOf } from '../../words/words.ts';

export type Fact = readonly [word: string, value: string];

/** What is known of an alarm, as pairs to read, its number last; what is empty is left out. */
export const factsOf = (alarm: Alarm): Fact[] => [...knownOf(alarm), [t('alarm.number'), alarm.id]];

/** The same without its number. */
export function knownOf(alarm: Alarm): Fact[] {
  const device =
    alarm.deviceName === alarm.device ? alarm.device : [alarm.deviceName, alarm.device].filter(Boolean).join(' · ');
  const at = (ms: number | null): string => (ms === null ? '' : fullTime(ms));
  const by = (who: string | null, ms: number | null): string => (who === null ? '' : `${who} · ${at(ms)}`);
  const facts: Fact[] = [
    [t('alarm.place'), alarm.place],
    [t('alarm.device'), device],
    [t('alarm.source'), wordOf('alarm.channel', alarm.channel)],
    [t('alarm.condition'), conditionWord(alarm.condition)],
    [t('alarm.handling'), handlingWord(alarm.handling)],
    [t('alarm.raisedAt'), at(alarm.raisedAt)],
    [t('alarm.deviceTime'), at(alarm.deviceTime)],
    [t('case.lastAt'), alarm.count > 1 ? `${at(alarm.lastAt)} · ${t('case.times', { n: alarm.count })}` : ''],
    [t('case.clearedAt'), at(alarm.clearedAt)],
    [t('case.acknowledgedBy'), by(alarm.acknowledgedBy, alarm.acknowledgedAt)],
    [t('alarm.who'), alarm.assignee ?? t('alarm.nobody')],
    [t('case.closedBy'), by(alarm.closedBy, alarm.closedAt)],
    [t('alarm.result'), alarm.result ?? ''],
  ];
  return facts.filter(([, value]) => value !== '');
}

export function toldBy(alarm: Alarm): Fact[] {
  return Object.entries(alarm.detail).flatMap(([name, value]): Fact[] =>
    value === null || value === '' ? [] : [[factWord(name), factValue(name, value)]],
  );
}
