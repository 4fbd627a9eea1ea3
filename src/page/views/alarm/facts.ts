import type { Alarm } from '../../api/types.ts';
import { fullTime } from '../../words/time.ts';
import { conditionWord, handlingWord, t, type WordKey, wordOf } from '../../words/words.ts';

export type Fact = readonly [word: string, value: string];

/** What is known of an alarm, as pairs to read; what is empty is left out. */
export function factsOf(alarm: Alarm): Fact[] {
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
    [t('alarm.number'), alarm.id],
  ];
  return facts.filter(([, value]) => value !== '');
}

/** What a device told, by its name in the profiles; others have theirs as `alarm.fact_…`, or are shown as the profile calls them. */
const DETAIL_WORDS: Readonly<Record<string, WordKey>> = {
  text: 'alarm.words',
  receipt: 'alarm.receipt',
  reporter: 'alarm.reporter',
  contact: 'alarm.contact',
  stage: 'alarm.stage',
  zone: 'alarm.zone',
  track: 'alarm.track',
  score: 'alarm.score',
  posture: 'alarm.posture',
  direction: 'alarm.direction',
  rule: 'alarm.rule',
  similarity: 'alarm.similarity',
  person: 'alarm.personNumber',
};

/** What the vision process says in words of its own; anything else is shown as it was said. */
const SAID = ['stage', 'direction', 'rule'];

export function toldBy(alarm: Alarm): Fact[] {
  return Object.entries(alarm.detail).flatMap(([name, value]): Fact[] => {
    if (value === null || value === '') return [];
    const key = Object.hasOwn(DETAIL_WORDS, name) ? DETAIL_WORDS[name] : undefined;
    const word = key === undefined ? wordOf('alarm.fact', name) : t(key).replace(/（.*）| \(.*\)/, '');
    // Measured values carry more digits than anybody can use.
    const said = typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(3) : String(value);
    const known = SAID.includes(name) && /^[a-z-]{1,20}$/.test(said);
    return [[word, known ? wordOf(`alarm.told_${name}`, said) : said]];
  });
}
