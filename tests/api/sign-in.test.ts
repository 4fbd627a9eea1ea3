import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { expect, test } from 'vitest';
import { openAuthority } from '../../src/broker/ca.ts';
import { SimulatedClock, SystemClock } from '../../src/kernel/clock.ts';
import { dataDir } from '../support/data-dir.ts';
import { freePort } from '../support/ports.ts';
import { ADMIN, Box, Person, signInFrom, until } from './box.ts';

test('requests another site makes a browser send are refused, whatever cookie they carry', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const alarm = await box.say('sos-1', 'sos');
  const path = `/api/alarms/${alarm.id}/acknowledge`;
  const own = `http://127.0.0.1:${box.port}`;
  const json = { 'content-type': 'application/json' };
  const attempts: [string, Record<string, string>, string, number][] = [
    ['another origin', { ...json, origin: 'https://evil.example' }, '{}', 403],
    ['another port', { ...json, origin: 'http://127.0.0.1:1' }, '{}', 403],
    ['an origin that hides itself', { ...json, origin: 'null' }, '{}', 403],
    ['a browser that says cross-site', { ...json, 'sec-fetch-site': 'cross-site' }, '{}', 403],
    ['a browser that says same-site', { ...json, 'sec-fetch-site': 'same-site' }, '{}', 403],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded', origin: own }, 'a=1', 400],
    ['plain text', { 'content-type': 'text/plain' }, '{}', 400],
    ['text that looks like JSON', { 'content-type': 'text/plain; application/json' }, '{}', 400],
  ];
  for (const [what, headers, body, status] of attempts) {
    expect((await admin.ask('POST', path, body, headers)).status, what).toBe(status);
  }
  expect(box.board.get(alarm.id)?.acknowledgedBy).toBeNull();
  const read = await admin.ask('GET', '/api/alarms', undefined, { 'sec-fetch-site': 'cross-site' });
  expect(read.status).toBe(403);
  const login = { name: 'admin', password: ADMIN };
  expect((await box.nobody().ask('POST', '/api/login', login, { origin: 'https://evil.example' })).status).toBe(403);
  expect((await admin.ask('POST', path, '{}', { origin: own, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
});

test('a made-up cookie is nobody', async () => {
  const box = await Box.start();
  for (const token of ['', 'x', 'A'.repeat(43), 'A'.repeat(4_000), '%00', '../../etc']) {
    expect((await new Person(box.base, `quanwei=${token}`).get('/api/me')).status).toBe(401);
  }
});

test('a wrong name and a wrong password are told in the same words', async () => {
  const box = await Box.start();
  const wrong = await box.nobody().post('/api/login', { name: 'admin', password: 'not-this-one' });
  const unknown = await box.nobody().post('/api/login', { name: 'nobody', password: 'not-this-one' });
  expect(wrong.status).toBe(401);
  expect(unknown).toMatchObject({ status: 401, body: wrong.body });
});

test('an address that guesses waits, even for the right password; a minute later it may', async () => {
  const clock = new SimulatedClock();
  const box = await Box.start({ clock });
  const guess = (password: string) => signInFrom('127.0.0.7', box, 'admin', password);
  const statuses: number[] = [];
  for (let n = 0; n < 14; n += 1) statuses.push((await guess(`guess-${n}`)).status);
  expect(statuses).toEqual([...Array(10).fill(401), ...Array(4).fill(429)]);
  expect((await guess(ADMIN)).status).toBe(429);
  expect((await signInFrom('127.0.0.8', box, 'admin', ADMIN)).status).toBe(200);
  clock.advance(60_000);
  expect((await guess(ADMIN)).status).toBe(200);
});

test('an account guessed at from everywhere is closed to strangers and open to where its owner is signed in', async () => {
  const clock = new SimulatedClock();
  const box = await Box.start({ clock });
  expect((await signInFrom('127.0.0.9', box, 'admin', ADMIN)).status).toBe(200);
  for (let n = 0; n < 24; n += 1) await signInFrom(`127.0.1.${n + 1}`, box, 'admin', `guess-${n}`);
  expect((await signInFrom('127.0.2.1', box, 'admin', ADMIN)).status).toBe(429);
  expect((await signInFrom('127.0.0.9', box, 'admin', ADMIN)).status).toBe(200);
});

test('refused sign-ins are journalled, a bounded number a minute, the rest counted', async () => {
  const clock = new SimulatedClock();
  const box = await Box.start({ clock });
  for (let n = 0; n < 60; n += 1) await signInFrom(`127.0.3.${(n % 50) + 1}`, box, 'x'.repeat(50), `guess-${n}`);
  const refused = () => box.journal.read({ kinds: ['session.refused'], limit: 1_000 });
  await until(() => refused().length === 20, 'twenty entries');
  clock.advance(60_000);
  await signInFrom('127.0.3.99', box, 'admin', 'one more');
  await until(() => refused().length > 20, 'one more entry');
  expect(refused()).toHaveLength(21);
  const last = refused().at(-1);
  expect(last).toMatchObject({ actor: 'system', body: { account: 'admin', address: '127.0.3.99', furtherBefore: 40 } });
  expect(JSON.stringify(refused())).not.toContain('guess-');
});

test('strict headers: nothing inline, nothing framed, nothing sniffed, no answer of the API kept', async () => {
  const box = await Box.start();
  const page = await box.nobody().get('/');
  expect(page.status).toBe(200);
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe');
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  expect((await box.nobody().get('/api/session')).headers.get('cache-control')).toBe('no-store');
});

test('over https, by the box’s own CA, the cookie goes nowhere else and the browser stays with https', async () => {
  const dir = dataDir();
  const ca = await openAuthority(dir, new SystemClock());
  const port = await freePort();
  const box = await Box.start({
    dir,
    port,
    settings: { http: { listen: `https://127.0.0.1:${port}` } },
    parts: { ca },
  });
  expect(box.server.address).toBe(`https://127.0.0.1:${port}`);
  const authority = await ca.certificate();
  const payload = JSON.stringify({ name: 'admin', password: ADMIN });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        path: '/api/login',
        method: 'POST',
        ca: authority,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
      },
      resolve,
    );
    request.on('error', reject);
    request.end(payload);
  });
  answer.resume();
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['set-cookie']?.[0]).toMatch(/^__Host-quanwei=.*Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  expect(answer.headers['strict-transport-security']).toContain('max-age=');
});

test('an address that is taken is told as such', async () => {
  const box = await Box.start();
  await expect(Box.start({ port: box.port })).rejects.toMatchObject({ code: 'PORT_TAKEN' });
});
