import { computed } from 'vue';
import { createI18n } from 'vue-i18n';
import type { Alarm } from '../api/types.ts';
import { alarmWords } from './alarms.ts';
import { auditWords } from './audit.ts';
import { caseWords } from './case.ts';
import { centreWords } from './centre.ts';
import { devicesWords } from './devices.ts';
import { doorsWords } from './doors.ts';
import { ledgerWords } from './ledger.ts';
import { liveWords } from './live.ts';
import { mapWords } from './map.ts';
import type { Words } from './pair.ts';
import { reportsWords } from './reports.ts';
import { settingsWords } from './settings.ts';
import { setupWords } from './setup.ts';
import { shellWords } from './shell.ts';
import { trialWords } from './trial.ts';
import { videoWords } from './video.ts';

/** Every room of the page brings its own words; a key is `ROOM.WORD`. */
const ROOMS = {
  shell: shellWords,
  alarm: alarmWords,
  case: caseWords,
  map: mapWords,
  video: videoWords,
  trial: trialWords,
  live: liveWords,
  doors: doorsWords,
  devices: devicesWords,
  ledger: ledgerWords,
  reports: reportsWords,
  centre: centreWords,
  settings: settingsWords,
  setup: setupWords,
  audit: auditWords,
} as const satisfies Record<string, Words>;

type Rooms = typeof ROOMS;
export type WordKey = { [R in keyof Rooms]: `${R}.${keyof Rooms[R] & string}` }[keyof Rooms];

const half = (which: 0 | 1) =>
  Object.fromEntries(
    Object.entries(ROOMS).map(([room, words]) => [
      room,
      Object.fromEntries(Object.entries(words as Words).map(([key, pair]) => [key, pair[which]])),
    ]),
  );

export type Language = 'zh' | 'en';
const KEY = 'quanwei.language';
const remembered = (): Language => (localStorage.getItem(KEY) === 'en' ? 'en' : 'zh');

export const i18n = createI18n({
  legacy: false,
  locale: remembered(),
  fallbackLocale: 'zh',
  messages: { zh: half(0), en: half(1) },
  // A device may be called anything; what is put into a sentence is text.
  warnHtmlMessage: false,
});

export const language = computed<Language>({
  get: () => i18n.global.locale.value as Language,
  set: (to) => {
    i18n.global.locale.value = to;
    localStorage.setItem(KEY, to);
    document.documentElement.lang = to === 'en' ? 'en' : 'zh-CN';
  },
});
document.documentElement.lang = remembered() === 'en' ? 'en' : 'zh-CN';

export const isEnglish = (): boolean => language.value === 'en';
/** What stands between a word and what is said about it, and around what is said beside it. */
export const colon = (): string => (isEnglish() ? ': ' : '：');
export const aside = (text: string): string => (isEnglish() ? ` (${text})` : `（${text}）`);

/** A word, or a sentence with `{named}` places, in the reader's language. */
export function t(key: WordKey, named: Record<string, string | number> = {}): string {
  return i18n.global.t(key, named);
}

/** The reader's half of a name that comes in both languages. */
export const pick = (both: { readonly zh: string; readonly en: string } | undefined, otherwise = ''): string =>
  both === undefined ? otherwise : isEnglish() ? both.en : both.zh;

/** A word of a family whose members come from the gateway, such as `alarm.condition.latched`; as it came when unknown. */
export function wordOf(family: string, member: string): string {
  const key = `${family}_${member.replaceAll(/[.-]/g, '_')}`;
  return i18n.global.te(key) ? i18n.global.t(key) : member;
}
export const conditionWord = (condition: Alarm['condition']): string => wordOf('alarm.condition', condition);
export const handlingWord = (handling: Alarm['handling']): string => wordOf('alarm.handling', handling);
export const levelWord = (level: Alarm['level']): string => wordOf('alarm.level', String(level));

/** An answer of the API says both languages, Chinese first; shown is the half of the reader. */
export function spoken(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const parts = message.split(' · ');
  return parts.length === 2 ? ((isEnglish() ? parts[1] : parts[0]) as string) : message;
}
