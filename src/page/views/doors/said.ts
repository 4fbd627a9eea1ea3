import { factValue, factWord } from '../../words/told.ts';
import { t, wordOf } from '../../words/words.ts';
import type { DoorRecord } from './types.ts';

export interface Outcome {
  readonly ok: boolean;
  readonly code: string;
  readonly detail: string;
  /** From the command on its way to the answer. */
  readonly ms: number;
}

/** What came of it, as it is and not as one would wish: a message that is on its way is not an open door. */
export function outcomeWord({ code, detail, ms }: Outcome): string {
  const seconds = (ms / 1_000).toFixed(1);
  if (code === 'opened') return t('doors.result_opened', { seconds });
  if (code === 'refused') return detail === '' ? t('doors.result_refused') : t('doors.result_refusedWith', { detail });
  if (code === 'timeout') return t('doors.result_timeout', { seconds });
  return wordOf('doors.result', code);
}

/** `user:li` → `li`; the others in words. */
export function actorWord(actor: string): string {
  const [sort = '', name = ''] = actor.split(/:(.*)/s);
  if (sort === 'user') return name;
  if (sort === 'device') return t('doors.byDevice', { name });
  return wordOf('doors.by', sort);
}

/** Whoever or whatever a record is about; empty when it does not say. */
export function whoOf({ kind, detail, actor }: DoorRecord): string {
  if (kind === 'opened') return detail['person'] === undefined ? actorWord(actor) : String(detail['person']);
  return namedIn(detail);
}

/** Who is named by what a device told: by name, else by a number. */
export function namedIn(detail: Readonly<Record<string, unknown>>): string {
  for (const name of ['person', 'name', 'customId', 'personId', 'card', 'user']) {
    const value = detail[name];
    if (value !== undefined && value !== null && String(value).trim() !== '') return String(value);
  }
  return '';
}

/** Whether a lock or a door is open, as it told; by the beginning and the end of it where it told no more. */
export function stateWord({ state }: Readonly<Record<string, unknown>>, active: boolean): string {
  return factValue('state', typeof state === 'string' ? state : active ? 'open' : 'closed');
}

/** What more is known of a door record, as pairs to read; what is empty is left out. */
export function detailWords(detail: DoorRecord['detail']): (readonly [word: string, value: string])[] {
  return Object.entries(detail).flatMap(([name, value]) => {
    if (value === null || value === '') return [];
    // A person is a name at a door, and a number in an alarm.
    const own = wordOf('doors.fact', name);
    return [[own === name ? factWord(name) : own, factValue(name, value)] as const];
  });
}
