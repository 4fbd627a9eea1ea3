import { t, type WordKey, wordOf } from './words.ts';

/** What a device told, by its name in the profiles; others have theirs as `alarm.fact_…`, or are shown as the profile calls them. */
const NAMED: Readonly<Record<string, WordKey>> = {
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

export function factWord(name: string): string {
  const key = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
  return key === undefined ? wordOf('alarm.fact', name) : t(key).replace(/（.*）| \(.*\)/, '');
}

/** What the profiles and the vision process say in words of their own; anything else is shown as it was said. */
const SAID = ['stage', 'direction', 'rule', 'state', 'mask', 'result', 'method', 'object', 'press', 'action'];

export function factValue(name: string, value: string | number | boolean): string {
  // Measured values carry more digits than anybody can use.
  const said = typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(3) : String(value);
  if (!SAID.includes(name) || !/^[a-z_ -]{1,24}$/i.test(said)) return said;
  const member = said.replaceAll(' ', '_').toLowerCase();
  const word = wordOf(`alarm.told_${name}`, member);
  return word === member ? said : word;
}
