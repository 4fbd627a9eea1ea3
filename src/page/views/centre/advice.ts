import type { WordKey } from '../../words/words.ts';

const ADVICE: readonly (readonly [RegExp, WordKey])[] = [
  [/does not let us read/i, 'centre.do_topics'],
  [/ECONNREFUSED|refused/i, 'centre.do_refused'],
  [/ENOTFOUND|EAI_AGAIN|getaddrinfo/i, 'centre.do_name'],
  [/certificate|self.signed|CERT_|SSL|TLS/i, 'centre.do_certificate'],
  [/not authori[sz]ed|bad user ?name|identifier rejected|password/i, 'centre.do_login'],
];

/** What a person may do about an error of the connection. */
export const adviceFor = (error: string): WordKey =>
  ADVICE.find(([pattern]) => pattern.test(error))?.[1] ?? 'centre.do_other';
