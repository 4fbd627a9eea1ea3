import { clockTime } from '../../words/time.ts';
import { t } from '../../words/words.ts';
import type { Told } from './types.ts';

type Sent = Told['entries'][number];

/** Of the repetitions only the newest counts: it tells what the others told. */
export const countedOf = ({ entries }: Told): Sent[] =>
  entries.filter(
    ({ kind }, i) => kind !== 'alarm.repeated' || !entries.slice(i + 1).some((later) => later.kind === kind),
  );

/** How far one has come on its way to the centre. @param time how a moment is written */
export function sentWord({ connected }: Told, { state, at, reason }: Sent, time = clockTime): string {
  const how = state === 'waiting' && !connected ? t('case.sent_waitingDown') : t(`case.sent_${state}`);
  return [how, at === null ? '' : time(at), reason].filter(Boolean).join(' · ');
}
