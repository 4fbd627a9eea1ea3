import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { ownNames } from '../broker/server-tls.ts';
import type { Cancel } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { ApiParts } from './ports.ts';

const RENEW_MS = 12 * 3_600_000;
/** Listening on every address; nobody knows the box by these. */
const ANY = new Set(['0.0.0.0', '::']);

interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** The certificate of the page: the configured one, else one of the box's own CA. @throws QuanweiError BAD_CONFIG */
export async function certificateOf({ config, ca }: ApiParts, host: string): Promise<Pair> {
  const { cert, key } = config.http;
  if (cert !== undefined && key !== undefined) return { cert: pem(cert, 'http.cert'), key: pem(key, 'http.key') };
  if (ca === undefined) {
    throw new QuanweiError('BAD_CONFIG', 'https:// 需要证书 · https:// needs http.cert and http.key', {
      where: 'http.listen',
    });
  }
  return ca.serverIdentity([...new Set([host, ...ownNames()])].filter((name) => !ANY.has(name)));
}

/** Looks now and then whether the certificate was renewed; connections that are open keep the one they have. */
export function keepCertificate(server: Server, parts: ApiParts, host: string, first: Pair): Cancel {
  let current = first;
  return parts.clock.every(RENEW_MS, () => {
    certificateOf(parts, host)
      .then((pair) => {
        if (pair.cert === current.cert) return;
        current = pair;
        server.setSecureContext(pair);
      })
      .catch((thrown: unknown) => parts.log.error({ err: thrown }, 'the certificate of the page cannot be renewed'));
  });
}

function pem(file: string, where: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new QuanweiError('BAD_CONFIG', `无法读取 · cannot read ${file}: ${messageOf(thrown)}`, {
      where,
      cause: thrown,
    });
  }
}
