import type { Entry, Vocabulary } from '../../api/types.ts';
import { isEnglish, pick, t, wordOf } from '../../words/words.ts';
import { namedIn, stateWord } from '../doors/said.ts';

/** What a door record says, in a line. */
export function passageOf({ kind, actor, body }: Entry, vocabulary: Vocabulary | null): string {
  if (typeof body !== 'object' || body === null) return t('case.erased');
  const said = body as Readonly<Record<string, unknown>>;
  const who = actor.replace(/^(user|device):/, '');
  if (kind === 'door.command') {
    const by = who === 'system' ? wordOf('doors.source', String(said['source'])) : who;
    return [t('case.door_command'), by, said['reason']].filter(Boolean).join(' · ');
  }
  if (kind === 'door.result') {
    // That it is open needs no more words; the lock's own (`ok`) are in nobody's language.
    const why = said['code'] === 'opened' ? '' : said['detail'];
    return [t('case.door_result'), wordOf('case.code', String(said['code'])), why].filter(Boolean).join(' · ');
  }
  if (kind === 'door.decision') return [t('case.door_decision'), said['why']].filter(Boolean).join(' · ');
  const events = Array.isArray(said['events']) ? (said['events'] as Told[]) : [];
  return events
    .map(({ category = '', active = true, detail = {} }) => {
      const state = category === 'door.state' ? stateWord(detail, active) : '';
      return [pick(vocabulary?.categories[category], category), state, namedIn(detail)].filter(Boolean).join(' · ');
    })
    .join(isEnglish() ? '; ' : '；');
}

interface Told {
  readonly category?: string;
  readonly active?: boolean;
  readonly detail?: Readonly<Record<string, unknown>>;
}
