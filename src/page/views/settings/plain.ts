import type { Vocabulary } from '../../api/types.ts';
import { levelWord, t, type WordKey, wordOf } from '../../words/words.ts';
import { lastingText } from './durations.ts';
import { type Rule, rulesOf, saysRule } from './rules.ts';
import type { Draft, SectionKey } from './types.ts';

type Lines = [label: string, said: string][];
type Say = (value: unknown) => string;

const text: Say = (value) => String(value ?? '');
const yes: Say = (value) => t(value === true ? 'settings.yes' : 'settings.no');
const levels: Say = (value) => list(value, (level) => levelWord(level as 1 | 2 | 3 | 4));
const list = (value: unknown, say: Say): string =>
  Array.isArray(value) ? value.map(say).join(t('devices.comma')) : text(value);

/** Each field by its label in the form, and how its value is said. */
type Fields = Readonly<Record<string, readonly [label: WordKey, say: Say]>>;
const FIELDS: Readonly<Record<Exclude<SectionKey, 'levels' | 'quiet' | 'rules'>, Fields>> = {
  site: {
    name: ['setup.site_name', text],
    street: ['setup.site_street', text],
    timezone: ['setup.site_timezone', text],
  },
  escalation: {
    window: ['settings.window', lastingText],
    escalateTo: ['settings.escalateTo', (value) => list(value, (who) => wordOf('settings.who', text(who)))],
  },
  retention: {
    alarms: ['settings.keep_alarms', lastingText],
    audit: ['settings.keep_audit', lastingText],
    access: ['settings.keep_access', lastingText],
    messages: ['settings.keep_messages', lastingText],
    unknown: ['settings.keep_unknown', lastingText],
  },
  sessions: { sessionHours: ['settings.sessions', (value) => lastingText(`${text(value)}h`)] },
  upstream: {
    url: ['setup.centre_url', text],
    clientId: ['setup.centre_clientId', text],
    username: ['setup.centre_username', text],
    password: ['shell.password', () => '••••••••'],
    protocol: ['setup.centre_protocol', (value) => `MQTT ${text(value)}`],
    confirm: ['setup.centre_confirm', (value) => wordOf('setup.confirm', text(value))],
    orders: ['setup.orders', yes],
  },
};

const fieldLines = (fields: Fields, value: Draft): Lines =>
  Object.entries(fields).flatMap(([key, [label, say]]): Lines => {
    const one = value[key];
    return one === undefined || one === null || one === '' ? [] : [[t(label), say(one)]];
  });

const levelLines = (value: Draft): Lines =>
  ([1, 2, 3, 4] as const).flatMap((level) =>
    (['acknowledge', 'close'] as const).flatMap((step): Lines => {
      const within = (value[level] as Draft | undefined)?.[step];
      return within === undefined ? [] : [[`${levelWord(level)} ${t(`settings.within_${step}`)}`, lastingText(within)]];
    }),
  );

function quietLines({ quiet }: Draft): Lines {
  if (quiet === undefined || quiet === null) return [[t('settings.quietOn'), yes(false)]];
  const { between, levels: which } = quiet as Draft;
  return [
    [t('settings.quietOn'), yes(true)],
    [t('settings.quietBetween'), Array.isArray(between) ? between.join('–') : text(between)],
    [t('settings.quietLevels'), levels(which)],
  ];
}

const ruleLines = (rules: readonly Rule[], vocabulary: Vocabulary | null): Lines =>
  rules.map((rule, i) => [t('settings.ruleNumber', { n: i + 1 }), `${rule.name} · ${saysRule(rule, vocabulary)}`]);

/** A section's value as it is read in the form: labels and what stands there, nothing for what is left empty. */
export function plainly(section: SectionKey, value: Draft | null, vocabulary: Vocabulary | null): Lines {
  if (value === null) return section === 'upstream' ? [[t('setup.centre'), t('setup.noCentre')]] : [];
  if (section === 'levels') return levelLines(value);
  if (section === 'quiet') return quietLines(value);
  if (section === 'rules') return ruleLines(rulesOf(value), vocabulary);
  return fieldLines(FIELDS[section], value);
}

export interface Difference {
  readonly label: string;
  /** `null`: left empty there. */
  readonly one: string | null;
  readonly other: string | null;
}

/** Where two values of a section are not the same, line by line. */
export function differences(
  section: SectionKey,
  one: Draft | null,
  other: Draft | null,
  vocabulary: Vocabulary | null,
): Difference[] {
  const here = new Map(plainly(section, one, vocabulary));
  const there = new Map(plainly(section, other, vocabulary));
  return [...new Set([...here.keys(), ...there.keys()])]
    .map((label) => ({ label, one: here.get(label) ?? null, other: there.get(label) ?? null }))
    .filter((line) => line.one !== line.other);
}
