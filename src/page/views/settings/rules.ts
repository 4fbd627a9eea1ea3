import type { Vocabulary } from '../../api/types.ts';
import { levelWord, pick, t, wordOf } from '../../words/words.ts';
import type { Draft } from './types.ts';

/** A rule for grading as the file has it. */
export interface Rule {
  name: string;
  when: { category?: string; device?: string; place?: string; between?: [string, string] };
  level?: 1 | 2 | 3 | 4;
  record?: true;
}

export const rulesOf = (value: Draft | null): Rule[] => (value?.['rules'] as Rule[] | undefined) ?? [];

export const outcomeOf = ({ level }: Rule): string => (level === undefined ? 'record' : String(level));

export function setOutcome(rule: Rule, to: string): void {
  if (to === 'record') {
    delete rule.level;
    rule.record = true;
  } else {
    delete rule.record;
    rule.level = Number(to) as 1 | 2 | 3 | 4;
  }
}

/** A category, or a family of them as `intrusion.*`, as people say it. */
export function meant(category: string, vocabulary: Vocabulary | null): string {
  const family = /^(\w+)\.\*$/.exec(category)?.[1];
  return family === undefined ? pick(vocabulary?.categories[category], category) : wordOf('ledger.family', family);
}

/** A rule in one line: `翻越围墙 · 1号楼 · 22:00–06:00 → 二级`. */
export function saysRule(rule: Rule, vocabulary: Vocabulary | null): string {
  const { category, device, place, between } = rule.when;
  const named = category === undefined ? t('settings.any') : meant(category, vocabulary);
  const limits = [named, device, place, between?.join('–')].filter((one) => one !== undefined && one !== '');
  return `${limits.join(' · ')} → ${rule.level === undefined ? t('settings.onlyRecord') : levelWord(rule.level)}`;
}
