import { t } from '../../../words/words.ts';
import type { Settings, Trial } from '../types.ts';
import type { Chosen } from './footage.ts';

/** A word is a warning where the rest are alarms. */
const isWarning = (type: Trial['events'][number]['type']): boolean => type === 'climb';

export interface Outcome {
  readonly said: string;
  readonly notes: readonly { readonly text: string; readonly tone: 'good' | 'warn' | 'plain' }[];
}

const MINUTE = 60;

/** What a try says to a property manager. `null` while it runs. */
export function outcomeOf(trial: Trial, chosen: Chosen | null, settings: Settings): Outcome | null {
  if (trial.state === 'running') return null;
  if (trial.state === 'failed') return { said: t('trial.failed'), notes: [plain(whyFailed(trial))] };
  const warnings = trial.events.filter(({ type }) => isWarning(type)).length;
  const alarms = trial.events.length + trial.more - warnings;
  const whole = trial.state === 'done';
  return {
    said: whole ? verdict(alarms, warnings) : t('trial.resultStopped', { t: Math.round(trial.t), alarms, warnings }),
    notes: [
      ...(whole ? [] : [plain(t(`trial.${trial.state as 'left'}`))]),
      ...(whole ? aboutThen(alarms + warnings, chosen) : []),
      ...(alarms + warnings === 0 ? whyNothing(trial, settings) : [plain(t('trial.sawPeople', { n: trial.people }))]),
      ...(trial.cut ? [warn(t('trial.cut', { minutes: Math.round(trial.t / MINUTE) }))] : []),
      ...(trial.more > 0 ? [plain(t('trial.more', { n: trial.more }))] : []),
    ],
  };
}

function verdict(alarms: number, warnings: number): string {
  if (alarms > 0 && warnings > 0) return t('trial.result', { alarms, warnings });
  if (alarms > 0) return t('trial.resultAlarmed', { alarms });
  return warnings > 0 ? t('trial.resultWarned', { warnings }) : t('trial.resultNone');
}

/** Against what was raised then, and what became of it. */
function aboutThen(found: number, chosen: Chosen | null): Outcome['notes'] {
  const alarm = chosen?.kind === 'clip' ? chosen.clip.alarm : null;
  if (alarm === null) return [];
  if (alarm.handling === 'false') {
    return found === 0
      ? [{ text: t('trial.falseGone'), tone: 'good' }]
      : [{ text: t('trial.falseStays'), tone: 'warn' }];
  }
  return found === 0 ? [{ text: t('trial.realGone'), tone: 'warn' }] : [];
}

function whyNothing({ looked, people, postures }: Trial, { fences, lines, zones }: Settings): Outcome['notes'] {
  if (looked === 0) return [plain(t('trial.nothingMoved'))];
  if (people === 0) return [plain(t('trial.nobody')), plain(t('trial.nobodyMore'))];
  const onlyFences = fences.length > 0 && lines.length + zones.length === 0;
  return [
    plain(t('trial.somebody', { n: people })),
    ...(onlyFences && postures === 0 ? [plain(t('trial.notNear'))] : []),
  ];
}

const WHY = ['BAD_PICTURE', 'BAD_MODEL', 'VISION_DEGRADED'] as const;
function whyFailed({ problem }: Trial): string {
  const code = WHY.find((one) => one === problem?.code);
  return code === undefined ? t('trial.failed_other', { code: problem?.code ?? '' }) : t(`trial.failed_${code}`);
}

const plain = (text: string) => ({ text, tone: 'plain' as const });
const warn = (text: string) => ({ text, tone: 'warn' as const });
