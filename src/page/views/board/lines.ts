import type { Alarm } from '../../api/types.ts';
import type { Section } from '../../state/alarm.ts';

/** One line of the board: the head of a section, or an alarm. */
export type Line = HeadLine | AlarmLine;

export interface HeadLine {
  readonly kind: 'head';
  /** The same as long as it is the same line, wherever it stands. */
  readonly key: string;
  readonly section: Section;
  readonly count: number;
  /** Of those, how many may be acknowledged at one stroke. */
  readonly together: number;
}

export interface AlarmLine {
  readonly kind: 'alarm';
  readonly key: string;
  readonly section: Section;
  readonly alarm: Alarm;
  /** It is over; the line stays for the moment because somebody has a hand on the board. */
  readonly gone: boolean;
}

const ORDER: readonly Section[] = ['now', 'hand', 'aside'];

/** The lines in the order of need; a section without alarms has no head. */
export function linesOf(bySection: Readonly<Record<Section, readonly Alarm[]>>): Line[] {
  return ORDER.flatMap((section): Line[] => {
    const alarms = bySection[section];
    if (alarms.length === 0) return [];
    const together = section === 'now' ? alarms.filter(({ level }) => level > 1).length : 0;
    return [
      { kind: 'head', key: section, section, count: alarms.length, together },
      ...alarms.map((alarm): AlarmLine => ({ kind: 'alarm', key: alarm.id, section, alarm, gone: false })),
    ];
  });
}

/** The lines as they stood, with what is known of each now; what is new has to wait. */
export function inPlace(stood: readonly Line[], next: readonly Line[]): Line[] {
  const known = new Map(next.map((line) => [line.key, line]));
  return stood.map((line) => known.get(line.key) ?? (line.kind === 'alarm' ? { ...line, gone: true } : line));
}

export const sameOrder = (a: readonly Line[], b: readonly Line[]): boolean =>
  a.length === b.length && a.every(({ key }, i) => key === b[i]?.key);
