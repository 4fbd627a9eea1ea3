import { createHash, randomBytes } from 'node:crypto';
import soap from 'node-onvif/lib/modules/soap.js';
import { QuanweiError } from '../../kernel/errors.ts';

/** ms for one answer, all of it. */
const TIME_LIMIT = 5_000;
/** Bytes of an answer; the largest real ones, many profiles, are about 60 kB. */
const LARGEST = 256 * 1024;

interface Address {
  readonly protocol: string;
  readonly host: string;
  readonly path: string;
  readonly auth?: string | null;
}

/**
 * Takes the place of node-onvif's own way of asking, which waits for ever for a camera that sends a byte now and then, takes
 * an answer of any size, and knows no HTTP authentication (ADR 098).
 */
export function boundSoap(): void {
  soap._request = ask;
}

async function ask({ protocol, host, path, auth }: Address, body: string): Promise<string> {
  const url = `${protocol}//${host}${path}`;
  const first = await post(url, body);
  const challenge = first.status === 401 ? first.challenge : null;
  const { status, text } =
    challenge !== null && auth ? await post(url, body, digest(challenge, auth, path) ?? undefined) : first;
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new QuanweiError('CAMERA_UNAVAILABLE', 'its answer is no SOAP');
  // Read here: node-onvif makes "[object Object]" of a reason that names its language, as most do.
  const [, fault] = /<(?:\w+:)?Fault\b[\s\S]*?<(?:\w+:)?Text\b[^>]*>([^<]{0,200})/.exec(text) ?? [];
  if (fault !== undefined) throw new QuanweiError('CAMERA_UNAVAILABLE', `it answers: ${fault}`);
  if (status === 200) return text;
  throw new QuanweiError('CAMERA_UNAVAILABLE', `it answers ${status}`);
}

async function post(url: string, body: string, authorization?: string) {
  const answer = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(TIME_LIMIT),
    headers: {
      'content-type': 'application/soap+xml; charset=utf-8',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body,
  }).catch(unreachable);
  const challenge = answer.headers.get('www-authenticate');
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body ?? []) {
      size += chunk.length;
      if (size > LARGEST) throw new QuanweiError('CAMERA_UNAVAILABLE', `it answers with more than ${LARGEST} bytes`);
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (thrown instanceof QuanweiError) throw thrown;
    unreachable(thrown);
  }
  return { status: answer.status, challenge, text: Buffer.concat(chunks).toString('utf8') };
}

function unreachable(thrown: unknown): never {
  const late = thrown instanceof Error && thrown.name === 'TimeoutError';
  throw new QuanweiError('CAMERA_UNAVAILABLE', late ? 'no answer' : 'not to be reached', { cause: thrown });
}

/** RFC 7616, with MD5 as cameras have it. @returns `null` when something else is asked for */
function digest(challenge: string, auth: string, uri: string): string | null {
  if (!/^Digest\s/i.test(challenge)) return null;
  const said = (name: string) => new RegExp(`${name}="?([^",]+)"?`, 'i').exec(challenge)?.[1] ?? '';
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const [realm, nonce, opaque] = [said('realm'), said('nonce'), said('opaque')];
  const colon = auth.indexOf(':');
  const [user, password] = [auth.slice(0, colon), auth.slice(colon + 1)];
  const cnonce = randomBytes(8).toString('hex');
  const secret = md5(`${user}:${realm}:${password}`);
  const response = md5(`${secret}:${nonce}:00000001:${cnonce}:auth:${md5(`POST:${uri}`)}`);
  const parts = { username: user, realm, nonce, uri, response, cnonce, ...(opaque === '' ? {} : { opaque }) };
  const quoted = Object.entries(parts).map(([name, value]) => `${name}="${value}"`);
  return `Digest ${[...quoted, 'qop=auth', 'nc=00000001', 'algorithm=MD5'].join(', ')}`;
}
