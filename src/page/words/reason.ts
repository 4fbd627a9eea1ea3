import { t, type WordKey, wordOf } from './words.ts';

/** Why a camera gives no picture, in the reader's language; what has no word here is shown as it was told. */
export function cameraReason(told: string | null): string {
  if (told === null || told === '') return t('live.none');
  const member = told.replaceAll(' ', '_');
  const word = wordOf('live.why', member);
  return word === member ? told : word;
}

/** What the gateway writes down with a message that it did not understand. */
const NOT_UNDERSTOOD: readonly (readonly [RegExp, WordKey])[] = [
  [/^the payload is not JSON$/, 'devices.unread_json'],
  [/^the payload is not UTF-8 text$/, 'devices.unread_text'],
  [/^JSON nested deeper than (?<n>\d+)$/, 'devices.unread_deep'],
  [/^JSON with more than (?<n>\d+) values$/, 'devices.unread_many'],
  [/^the message names another sender: (?<name>.+)$/s, 'devices.unread_sender'],
  [/^no message of profile (?<profile>\S+) looks like this$/, 'devices.unread_none'],
  [/^(?<name>.+) is not registered behind (?<hub>\S+)$/s, 'devices.unread_child'],
];

/** Why a message was not understood, in the reader's language; as it was told where that is new. */
export function messageReason(told: string): string {
  for (const [pattern, word] of NOT_UNDERSTOOD) {
    const found = pattern.exec(told);
    if (found !== null) return t(word, { ...found.groups });
  }
  return told;
}
