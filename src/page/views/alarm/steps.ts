import type { Alarm, AlarmLevel, Entry } from '../../api/types.ts';
import { clockTime, span } from '../../words/time.ts';
import { aside, levelWord, t, type WordKey, wordOf } from '../../words/words.ts';

/** One line of what happened, in words. */
export interface Step {
  readonly seq: number;
  readonly kind: Entry['kind'];
  readonly at: number;
  readonly what: string;
  readonly who: string;
  /** Everything that was said about it. */
  readonly said: readonly string[];
  /** Marks of a clock that was not right. */
  readonly clocks: readonly string[];
}

/** Device and gateway may differ by this before it is worth a word, ms. */
const SAME_TIME_MS = 2_000;

type Change = Readonly<Record<string, unknown>>;
interface Body {
  readonly alarm?: Alarm;
  readonly change?: Change;
}
const bodyOf = (entry: Entry): Body => (entry.body as Body | null) ?? {};
const timesOf = (entry: Entry): number => Number(bodyOf(entry).change?.['coalesced'] ?? 1);

/** The entries of an alarm as lines; repeats that follow each other are one line with their number. */
export function stepsOf(timeline: readonly Entry[]): Step[] {
  const lines: { entry: Entry; times: number }[] = [];
  for (const entry of timeline) {
    const last = lines.at(-1);
    if (entry.kind === 'alarm.repeated' && last?.entry.kind === entry.kind) {
      lines[lines.length - 1] = { entry, times: last.times + timesOf(entry) };
    } else lines.push({ entry, times: timesOf(entry) });
  }
  return lines.map(({ entry, times }) => ({
    seq: entry.seq,
    kind: entry.kind,
    at: entry.wall,
    what: kindWord(entry.kind) + (times > 1 ? ` · ${t('case.times', { n: times })}` : ''),
    who: whoOf(entry),
    said: entry.body === null ? [t('case.erased')] : saidIn(bodyOf(entry)),
    clocks: clocksOf(entry),
  }));
}

export const kindWord = (kind: string): string => wordOf('alarm.kind', kind);

/** A name people know, with the role it was done in. */
function whoOf(entry: Entry): string {
  const { alarm, change } = bodyOf(entry);
  const [what, ...rest] = entry.actor.split(':');
  const name = rest.join(':');
  if (what === 'user') {
    const role = change?.['role'];
    return typeof role === 'string' ? `${name}${aside(wordOf('shell.role', role))}` : name;
  }
  if (what === 'device') return alarm?.device === name ? alarm.deviceName || name : name;
  if (what === 'centre') {
    const by = change?.['role'];
    return typeof by === 'string' ? `${t('case.by_centre')}${aside(by)}` : t('case.by_centre');
  }
  return entry.actor === 'system' ? t('case.by_system') : entry.actor;
}

function saidIn({ alarm, change = {} }: Body): string[] {
  const text = (name: string): string | null => {
    const value = change[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const said: string[] = [];
  const say = (key: WordKey, name: string) => {
    const value = text(name);
    if (value !== null) said.push(t(key, { text: value }));
  };
  const late = text('deadline');
  if (late !== null) {
    const overdue = Number(change['overdueMs'] ?? 0);
    const what = late === 'close' ? 'close' : 'acknowledge';
    // Usually it is told within a second of being due: how late it was says something only after a box was away.
    said.push(t(`case.said_${overdue < 1_000 ? 'due' : 'late'}_${what}`, { span: span(overdue) }));
    const to = text('to');
    if (to !== null) said.push(t('case.said_escalated', { text: wordOf('settings.who', to) }));
  } else say('case.said_to', 'to');
  if (typeof change['from'] === 'number' && alarm !== undefined) {
    const from = levelWord(change['from'] as AlarmLevel);
    said.push(t('case.said_level', { from, to: levelWord(alarm.level) }));
  }
  if (typeof change['until'] === 'number') said.push(t('case.said_until', { text: clockTime(change['until']) }));
  say('case.said_result', 'result');
  say('case.said_reason', 'reason');
  say('case.said_note', 'note');
  for (const [name, key] of MARKS) if (change[name] === true) said.push(t(key));
  return said;
}

const MARKS: readonly (readonly [string, WordKey])[] = [
  ['again', 'case.said_again'],
  ['implied', 'case.said_implied'],
  ['stillActive', 'case.said_still'],
  ['expired', 'case.said_expired'],
  ['replayed', 'case.said_replayed'],
];

function clocksOf(entry: Entry): string[] {
  const clocks: string[] = [];
  const told = entry.deviceTime ?? (entry.kind === 'alarm.raised' ? (bodyOf(entry).alarm?.deviceTime ?? null) : null);
  if (told !== null) {
    const off = Math.abs(told - entry.wall);
    const time = clockTime(told);
    clocks.push(
      off <= SAME_TIME_MS ? t('case.deviceClock', { time }) : t('case.deviceClockOff', { time, span: span(off) }),
    );
  }
  if (entry.clock === 'unsynced') clocks.push(t('case.unsynced'));
  return clocks;
}
