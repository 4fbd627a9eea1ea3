import { redact } from './address.ts';

/** Told to whoever looks at the board; a camera locks accounts that are tried with a wrong password too often. */
export const WRONG_PASSWORD = 'wrong user name or password';

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/\b401\b|unauthori[sz]ed|authorization failed/i, WRONG_PASSWORD],
  [/\b403\b|forbidden/i, 'the camera forbids it to this user'],
  [/\b404 /i, 'the camera has no such stream'],
  [/no such file/i, 'there is no such file'],
  [/\b45[34]\b|\b503\b|not enough bandwidth/i, 'the camera serves no more viewers'],
  [/connection refused/i, 'connection refused'],
  [/no route|unreachable/i, 'not to be reached in the network'],
  [/resolve|name or service/i, 'the name of the camera is unknown in the network'],
  [/timed out|timeout/i, 'no answer'],
  [/connection reset|broken pipe|end of file/i, 'the camera closed the connection'],
  [/is not installed/i, 'ffmpeg is not installed'],
  [/no space left/i, 'the disk is full'],
  [/invalid data|could not find codec|decod|unspecified size|no start code/i, 'what it sends cannot be decoded'],
];

/** Why ffmpeg ended, in words for a person: never an address, never a password. @param said its last lines */
export function reasonOf(said: string): string {
  for (const [pattern, reason] of REASONS) if (pattern.test(said)) return reason;
  const last = redact(said.trim().split('\n').at(-1) ?? '').replace(/^(\[[^\]]*\]\s*)+/, '');
  return last === '' ? 'the stream ended' : last.slice(0, 160);
}
