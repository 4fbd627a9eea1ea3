import type { Entry, Vocabulary } from '../../api/types.ts';
import { bytes, clockTime } from '../../words/time.ts';
import { colon, t, type WordKey, wordOf } from '../../words/words.ts';
import { lasting } from './durations.ts';
import { differences } from './plain.ts';
import type { Draft, SectionKey } from './types.ts';

type Body = Readonly<Record<string, unknown>>;

const SECTIONS: Readonly<Record<SectionKey, WordKey>> = {
  site: 'setup.site',
  levels: 'settings.levels',
  escalation: 'settings.escalation',
  quiet: 'settings.part_quiet',
  rules: 'settings.part_rules',
  retention: 'settings.part_retention',
  sessions: 'settings.sessions',
  upstream: 'setup.centre',
};
const isSection = (name: string): name is SectionKey => Object.hasOwn(SECTIONS, name);

function sectionWord(name: string): string {
  if (isSection(name)) return t(SECTIONS[name]);
  if (name === 'certificates') return t('setup.certificates');
  if (name === 'first-run') return t('setup.title');
  return wordOf('audit.section', name);
}

/** Where the gateway says something in words of its own, whose words these are; what people typed is not among them. */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  what: ['setup.what'],
  why: ['doors.why', 'devices.why', 'audit.said'],
  reason: ['audit.said', 'devices.why'],
  code: ['case.code', 'audit.said'],
  result: ['case.code'],
  role: ['shell.role'],
  source: ['doors.source', 'audit.said'],
  type: ['centre.type'],
  state: ['setup.clock', 'audit.said'],
  class: ['settings.keep', 'audit.said'],
  command: ['audit.said'],
  setting: ['audit.said'],
  managed: ['audit.said'],
  password: ['audit.said'],
  secret: ['audit.said'],
};

function told(key: string, said: string): string {
  const member = said.replaceAll(' ', '_');
  if (!/^[\w.-]{1,64}$/.test(member)) return said;
  const words = (FAMILIES[key] ?? []).map((family) => wordOf(family, member));
  return words.find((word) => word !== member) ?? said;
}

function number(key: string, value: number): string {
  if (key === 'bytes' || key === 'freeBytes' || key === 'minFree') return bytes(value);
  if (key === 'asked') return clockTime(value);
  if (key === 'silentAfter') return lasting(value);
  if (key === 'ms' || key === 'stepMs') return t('audit.ms', { n: value });
  // Measured values carry more digits than anybody can use.
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

function value(key: string, one: unknown): string {
  if (typeof one === 'boolean') return t(one ? 'settings.yes' : 'settings.no');
  if (typeof one === 'number') return number(key, one);
  if (Array.isArray(one)) return one.map((part) => value(key, part)).join(t('devices.comma'));
  if (typeof one === 'object' && one !== null) return lines(one as Body).join(t('devices.comma'));
  return told(key, String(one));
}

/** The entry a result belongs to, or that led to it: a number nobody can read. */
const isReference = (key: string, one: unknown): boolean =>
  ['command', 'cause', 'alarm'].includes(key) && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(String(one));

const lines = (body: Body): string[] =>
  Object.entries(body)
    .filter(([key, one]) => !isEmpty(one) && !isReference(key, one))
    .map(([key, one]) => `${wordOf('audit.key', key)}${colon()}${value(key, one)}`);

/** Of a section of the settings only what changed, in the words of its form. */
function changes(section: SectionKey, before: unknown, after: unknown, vocabulary: Vocabulary | null): string[] {
  const none = t('settings.empty');
  return differences(section, before as Draft | null, after as Draft | null, vocabulary).map(
    ({ label, one, other }) => `${label}${colon()}${one ?? none} → ${other ?? none}`,
  );
}

/** Of the settings of a camera, which; what was drawn cannot be told in a line. */
function cameraChanges(from: Body, to: Body): string[] {
  const names = Object.keys({ ...from, ...to }).filter((key) => JSON.stringify(from[key]) !== JSON.stringify(to[key]));
  return names.length === 0 ? [] : lines({ changed: names.map((name) => wordOf('audit.camera', name)) });
}

/** What an entry is about, as people call it. @param devices names of those there are, by id */
export function subjectWord(subject: string, devices: ReadonlyMap<string, string>): string {
  const [sort = '', name = ''] = subject.split(/:(.*)/s);
  if (sort === 'setting') return sectionWord(name);
  if (sort === 'account') return name;
  const device = devices.get(subject);
  return device === undefined || device === subject ? subject : `${device} (${subject})`;
}

/** The body of an entry, piece by piece; what people see is what is on record, not a story about it. */
export function bodyWords({ subject, body }: Entry, vocabulary: Vocabulary | null): string[] {
  if (body === null || typeof body !== 'object') return [t('setup.erased')];
  const { what, section, before, after, from, to, account, ...rest } = body as Body;
  const first = what === undefined ? [] : [told('what', String(what))];
  const about = subject === `account:${account}` ? {} : { account };
  if (typeof section === 'string' && isSection(section)) {
    return [...first, ...changes(section, before, after, vocabulary), ...lines(rest)];
  }
  if (rest['setting'] === 'camera') return [...first, ...lines(rest), ...cameraChanges(from as Body, to as Body)];
  return [...first, ...lines({ ...about, ...rest, before, after, from, to })];
}
