import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { Authority, openAuthority } from '../../src/broker/ca.ts';
import { SimulatedClock, SystemClock } from '../../src/kernel/clock.ts';
import { dataDir } from '../support/data-dir.ts';
import { device, portOf, startBox, until } from './box.ts';
import { RawClient } from './client.ts';

const secured = (clientCertificates: 'off' | 'optional' | 'required') => ({
  listen: [{ url: 'mqtts://127.0.0.1:0', clientCertificates }],
});

async function tlsBox(clientCertificates: 'off' | 'optional' | 'required', more: Parameters<typeof startBox>[0] = {}) {
  const dir = dataDir();
  const ca = await openAuthority(dir, new SystemClock());
  const box = await startBox({ mqtt: secured(clientCertificates), ...more, dir, parts: { ca } });
  return { ...box, ca, trust: { ca: await ca.certificate() } };
}

/** Return code of CONNACK; `closed` when there was none. */
async function code(
  port: number,
  options: ConnectionOptions,
  username: string | null,
  more: Parameters<RawClient['login']>[1] = {},
) {
  try {
    const client = await RawClient.openTls(port, options);
    return (await client.login(username, more))?.returnCode ?? 'closed';
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) return 'closed';
    throw thrown;
  }
}

test('a device enters over TLS with its secret, and finds that the box is who it says', async () => {
  const box = await tlsBox('off');
  const door = await RawClient.openTls(box.port, { ...box.trust, servername: 'localhost' });
  expect(await door.login('door-1')).toMatchObject({ returnCode: 0 });
  await door.published('dev/door-1/said', 'hello');
  expect(box.broker.connections()).toMatchObject([{ device: 'door-1', secure: true }]);
  expect(box.broker.addresses[0]?.url).toMatch(/^mqtts:\/\/127\.0\.0\.1:\d+$/);
  // Its address is in the certificate too; without the CA nobody believes it.
  expect(await code(box.port, box.trust, 'door-1')).toBe(0);
  expect(await code(box.port, {}, 'door-1')).toBe('closed');
});

test('a certificate is a login; another device’s name with it is not', async () => {
  const box = await tlsBox('optional');
  const { cert, key } = await box.ca.issue('door-1');
  const options = { ...box.trust, cert, key };
  const alone = { password: undefined } as never;
  expect(await code(box.port, options, null)).toBe(0);
  expect(await code(box.port, options, 'door-1', { password: Buffer.from('anything') })).toBe(0);
  expect(await code(box.port, options, 'button-1', alone)).toBe(5);
  expect(await code(box.port, options, 'button-1')).toBe(5);
  const door = await RawClient.openTls(box.port, options);
  await door.login(null);
  await door.published('dev/door-1/said', 'hello');
  expect(box.intake.messages.at(-1)).toMatchObject({ client: 'door-1' });
});

test('optional: without a certificate the secret is asked for', async () => {
  const box = await tlsBox('optional');
  expect(await code(box.port, box.trust, 'door-1')).toBe(0);
  expect(await code(box.port, box.trust, 'door-1', { password: Buffer.from('wrong') })).toBe(4);
});

test('required: without a certificate of this box nobody gets as far as CONNECT', async () => {
  const box = await tlsBox('required');
  const other = await openAuthority(dataDir(), new SystemClock());
  const foreign = await other.issue('door-1');
  const own = await box.ca.issue('door-1');
  expect(await code(box.port, box.trust, 'door-1')).toBe('closed');
  expect(await code(box.port, { ...box.trust, cert: foreign.cert, key: foreign.key }, 'door-1')).toBe('closed');
  expect(await code(box.port, { ...box.trust, cert: own.cert, key: own.key }, null)).toBe(0);
});

test('a certificate of another CA is refused where certificates are optional, whatever the secret', async () => {
  const box = await tlsBox('optional');
  const other = await openAuthority(dataDir(), new SystemClock());
  const { cert, key } = await other.issue('door-1');
  expect(await code(box.port, { ...box.trust, cert, key }, 'door-1')).toBe(5);
  expect(box.broker.stats().refused.certificate).toBe(1);
});

test('an expired certificate is refused', async () => {
  const box = await tlsBox('optional');
  const { cert, key } = await box.ca.issue('door-1', -30);
  expect(await code(box.port, { ...box.trust, cert, key }, null)).toBe(5);
});

test('a revoked certificate opens nothing, and closes what it had opened', async () => {
  const clock = new SimulatedClock();
  const box = await tlsBox('required', { clock });
  const first = await box.ca.issue('door-1');
  const second = await box.ca.issue('door-1');
  const door = await RawClient.openTls(box.port, { ...box.trust, cert: first.cert, key: first.key });
  expect(await door.login(null)).toMatchObject({ returnCode: 0 });
  // Another process does it, as `quanwei ca revoke` would.
  await new Authority(box.ca.dir, new SystemClock()).revoke(first.serial, 'stolen');
  clock.advance(10_000);
  await door.ended();
  expect(await code(box.port, { ...box.trust, cert: first.cert, key: first.key }, null)).toBe(5);
  expect(await code(box.port, { ...box.trust, cert: second.cert, key: second.key }, null)).toBe(0);
});

test('a certificate for a device that does not exist, or is disabled, opens nothing', async () => {
  const box = await tlsBox('required', { devices: [device('door-1', { enabled: false })] });
  for (const [name, expected] of [
    ['door-1', 5],
    ['ghost', 4],
  ] as const) {
    const { cert, key } = await box.ca.issue(name);
    expect(await code(box.port, { ...box.trust, cert, key }, null)).toBe(expected);
  }
});

test('plain text on the TLS port is closed, and half a handshake does not stay', async () => {
  const box = await tlsBox('off');
  const plain = await RawClient.open(box.port);
  plain.socket.write('GET / HTTP/1.1\r\n\r\n');
  await plain.ended();
  await until(() => box.broker.stats().sockets === 0);
  expect(await code(box.port, box.trust, 'door-1')).toBe(0);
});

test('plain and TLS side by side', async () => {
  const dir = dataDir();
  const ca = await openAuthority(dir, new SystemClock());
  const listen = ['mqtt://127.0.0.1:0', 'mqtts://127.0.0.1:0'];
  const box = await startBox({ mqtt: { listen }, dir, parts: { ca } });
  const plain = await RawClient.open(portOf(box.broker, 0));
  expect(await plain.login('door-1')).toMatchObject({ returnCode: 0 });
  expect(await code(portOf(box.broker, 1), { ca: await ca.certificate() }, 'button-1')).toBe(0);
});

test('a certificate file that is not there is a mistake in the configuration', async () => {
  const ca = await openAuthority(dataDir(), new SystemClock());
  await expect(
    startBox({ mqtt: { ...secured('off'), cert: '/nowhere/cert.pem', key: '/nowhere/key.pem' }, parts: { ca } }),
  ).rejects.toMatchObject({ code: 'BAD_CONFIG', where: 'mqtt.cert' });
});

test('keys are readable by their owner only', async () => {
  const dir = dataDir();
  const ca = await openAuthority(dir, new SystemClock());
  await ca.serverIdentity(['gateway.local']);
  await ca.issue('door-1');
  for (const name of ['ca.key', 'server.key', 'issued.json'])
    expect(statSync(join(dir, 'ca', name)).mode & 0o077).toBe(0);
  expect(statSync(join(dir, 'ca')).mode & 0o077).toBe(0);
});

test('the server certificate is kept until a name is missing, its end is near, or the CA is another', async () => {
  const dir = dataDir();
  const clock = new SimulatedClock();
  const ca = await openAuthority(dir, clock);
  const first = await ca.serverIdentity(['localhost', '127.0.0.1']);
  expect(await ca.serverIdentity(['127.0.0.1'])).toEqual(first);
  const wider = await ca.serverIdentity(['localhost', '127.0.0.1', 'gateway.local', '::1']);
  expect(wider).not.toEqual(first);
  expect(await ca.serverIdentity(['::1', 'gateway.local'])).toEqual(wider);
  clock.advance(780 * 86_400_000);
  const renewed = await ca.serverIdentity(['localhost']);
  expect(renewed).not.toEqual(wider);
  rmSync(join(dir, 'ca', 'ca.key'));
  expect(await ca.serverIdentity(['localhost'])).not.toEqual(renewed);
});

test('a box whose clock was never set makes certificates that are good today', async () => {
  const dir = dataDir();
  const ca = await openAuthority(dir, new SimulatedClock(0));
  const { cert, key } = await ca.issue('door-1');
  await ca.serverIdentity(['127.0.0.1', 'localhost']);
  const now = await openAuthority(dir, new SystemClock());
  const box = await startBox({ mqtt: secured('required'), dir, parts: { ca: now } });
  expect(await code(box.port, { ca: await now.certificate(), cert, key }, null)).toBe(0);
});

test('what was issued can be listed and revoked by number or by device', async () => {
  const ca = await openAuthority(dataDir(), new SystemClock());
  const one = await ca.issue('door-1');
  await ca.issue('door-1');
  await ca.issue('door-2');
  expect(ca.list().map(({ device: id, revoked }) => [id, revoked])).toEqual([
    ['door-1', null],
    ['door-1', null],
    ['door-2', null],
  ]);
  expect(await ca.revoke(one.serial.toUpperCase(), 'lost')).toMatchObject([{ device: 'door-1', reason: 'lost' }]);
  expect(ca.revoked(one.serial)).toBe(true);
  expect(await ca.revoke('door-1')).toHaveLength(1);
  await expect(ca.revoke('door-1')).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(ca.revoke('door-9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(ca.issue('not/an id')).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  // OpenSSL reads it; it throws at what is no list.
  createSecureContext({ ca: await ca.certificate(), crl: await ca.revocationList() });
  expect(() => createSecureContext({ crl: 'no list' })).toThrow();
});

test('a damaged list of certificates lets nobody in by certificate', async () => {
  const dir = dataDir();
  const ca = await openAuthority(dir, new SystemClock());
  await ca.issue('door-1');
  writeFileSync(join(dir, 'ca', 'issued.json'), '{"certificates": [');
  expect(() => ca.revoked('00')).toThrow('the list of certificates cannot be read');
});
