import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { quanwei, quanweiJson } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';

interface Issued {
  serial: string;
  cert: string;
  key: string;
  ca: string;
}

test('a device’s certificate is issued by the box’s CA, listed, and revoked', async () => {
  const data = dataDir();
  const out = dataDir();
  const issued = await quanweiJson<Issued>('ca', 'issue', 'door-1', '--data', data, '--out', out, '--days', '30');
  expect(issued.code).toBe(0);
  const { serial, cert, key, ca } = issued.value;
  expect(statSync(key).mode & 0o077, 'nobody else reads the key').toBe(0);
  const certificate = new X509Certificate(readFileSync(cert));
  const authority = new X509Certificate(readFileSync(ca));
  expect(certificate.verify(authority.publicKey)).toBe(true);
  expect(certificate.subject).toBe('CN=door-1');

  const shown = await quanweiJson<{ fingerprint256: string }>('ca', 'show', '--data', data);
  expect(shown.value.fingerprint256).toBe(authority.fingerprint256);

  expect(await quanweiJson('ca', 'list', '--data', data)).toMatchObject({ value: { serial, revoked: null } });
  const revoked = await quanweiJson('ca', 'revoke', 'door-1', '--reason', 'lost', '--data', data);
  expect(revoked).toMatchObject({ code: 0, value: { serial, reason: 'lost', revoked: expect.any(String) } });
  expect((await quanwei('ca', 'revoke', 'door-1', '--data', data)).code).toBe(1);
  expect((await quanwei('ca', 'issue', '../evil', '--data', data, '--out', out)).code).toBe(1);
});
