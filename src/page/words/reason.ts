import { t, wordOf } from './words.ts';

/** Why a camera gives no picture, in the reader's language; what has no word here is shown as it was told. */
export function cameraReason(told: string | null): string {
  if (told === null || told === '') return t('live.none');
  const member = told.replaceAll(' ', '_');
  const word = wordOf('live.why', member);
  return word === member ? told : word;
}
