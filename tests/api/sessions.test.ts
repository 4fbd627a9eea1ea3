import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { IDLE_MS } from '../../src/api/sessions.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { dataDir } from '../support/data-dir.ts';
import { ADMIN, Box, cookieOf, PASSWORD, Person, until } from './box.ts';
import { Stream } from './stream.ts';

const HOUR = 3_600_000;

test('the cookie cannot be read by a script, goes to no other site, and is not on disk', async () => {
  const box = await Box.start();
  const answer = await box.nobody().post('/api/login', { name: 'admin', password: ADMIN });
  const [line] = answer.headers.getSetCookie();
  expect(line).toMatch(/^quanwei=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  const token = cookieOf(answer).split('=')[1] as string;
  await box.stop();
  for (const file of ['quanwei.db', 'quanwei.db-wal']) {
    const bytes = (() => {
      try {
        return readFileSync(join(box.dir, file), 'latin1');
      } catch {
        return '';
      }
    })();
    expect(bytes).not.toContain(token);
    expect(bytes).not.toContain(ADMIN);
  }
});

test('a session outlives a restart, and signing out ends it for good', async () => {
  const first = await Box.start();
  const { cookie } = await first.signIn();
  await first.stop();
  const second = await Box.start({ dir: first.dir });
  const again = new Person(second.base, cookie);
  expect((await again.get('/api/me')).body).toMatchObject({ name: 'admin', role: 'admin' });
  expect((await again.post('/api/logout')).status).toBe(200);
  expect((await again.get('/api/me')).status).toBe(401);
  await second.stop();
  const third = await Box.start({ dir: first.dir });
  expect((await new Person(third.base, cookie).get('/api/me')).status).toBe(401);
});

test('a session nobody uses ends; one that is used ends at its last hour', async () => {
  const clock = new SimulatedClock();
  const box = await Box.start({ clock, settings: { http: { listen: 'http://127.0.0.1:0', sessionHours: 2 } } });
  const base = box.server.address;
  const signIn = async () => {
    const answer = await new Person(base, '').post('/api/login', { name: 'admin', password: ADMIN });
    return new Person(base, cookieOf(answer));
  };
  const left = await signIn();
  const used = await signIn();
  clock.advance(IDLE_MS - 1_000);
  expect((await used.get('/api/me')).status).toBe(200);
  clock.advance(2_000);
  expect((await left.get('/api/me')).status).toBe(401);
  expect((await used.get('/api/me')).status).toBe(200);
  clock.advance(2 * HOUR - IDLE_MS);
  expect((await used.get('/api/me')).status).toBe(401);
});

test('a stepped wall clock neither ends a session nor prolongs it', async () => {
  const clock = new SimulatedClock();
  const box = await Box.start({ clock });
  const person = await box.signIn();
  clock.stepWall(clock.wall() + 400 * 24 * HOUR);
  expect((await person.get('/api/me')).status).toBe(200);
  clock.stepWall(0);
  for (let h = 0; h < 13; h += 1) {
    clock.advance(HOUR - 60_000);
    await person.get('/api/me');
  }
  expect((await person.get('/api/me')).status).toBe(401);
});

test('an open live board keeps its session awake, and ends with it', async () => {
  const clock = new SimulatedClock();
  const box = await Box.start({ clock });
  const person = await box.signIn();
  const stream = await Stream.open(person);
  const beats = async (ms: number) => {
    for (let t = 0; t < ms; t += 15_000) {
      clock.advance(15_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await beats(3 * IDLE_MS);
  expect(stream.ended).toBe(false);
  expect((await person.get('/api/me')).status).toBe(200);
  await beats(12 * HOUR - 3 * IDLE_MS + 60_000);
  await until(() => stream.ended, 'the stream ends with the session');
  expect(stream.named('ended')).toMatchObject([{ data: { reason: 'session' } }]);
  expect((await person.get('/api/me')).status).toBe(401);
});

test('whoever loses a right, is disabled or removed is out at once, stream and all', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const deeds: [string, () => Promise<{ status: number }>][] = [
    ['demoted', () => admin.ask('PATCH', '/api/accounts/demoted', { role: 'viewer' })],
    ['disabled', () => admin.ask('PATCH', '/api/accounts/disabled', { disabled: true })],
    ['removed', () => admin.ask('DELETE', '/api/accounts/removed')],
    ['forgetful', () => admin.post('/api/accounts/forgetful/password')],
  ];
  for (const [name, deed] of deeds) {
    const person = await box.person('manager', name);
    const stream = await Stream.open(person);
    expect((await deed()).status, name).toBe(200);
    expect((await person.get('/api/me')).status, name).toBe(401);
    await until(() => stream.ended, `the stream of ${name} ends`);
  }
  const renamed = await box.person('operator', 'renamed');
  await admin.ask('PATCH', '/api/accounts/renamed', { display: '老王' });
  expect((await renamed.get('/api/me')).body).toMatchObject({ display: '老王', role: 'operator' });
});

test('a first password given by somebody else lets one do nothing but change it', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const made = await admin.post<{ password: string }>('/api/accounts', {
    name: '李四',
    display: '李四',
    role: 'operator',
  });
  expect(made.body).toMatchObject({
    name: '李四',
    mustChange: true,
    password: expect.stringMatching(/^(\w{4}-){3}\w{4}$/),
  });
  const { password } = made.body;
  const person = await box.signIn('李四', password);
  expect(await person.get('/api/alarms')).toMatchObject({ status: 403, body: { error: { where: 'password' } } });
  expect((await Stream.open(person)).status).toBe(403);
  expect((await person.get('/api/me')).body).toMatchObject({ mustChangePassword: true });

  const change = (current: string, next: string) => person.post('/api/password', { current, next });
  expect((await change('wrong-password', PASSWORD)).status).toBe(401);
  expect((await change(password, 'short')).status).toBe(400);
  expect((await change(password, 'aaaaaaaaaaaa')).status).toBe(400);
  expect((await change(password, password)).status).toBe(400);
  const other = await box.signIn('李四', password);
  expect((await change(password, PASSWORD)).body).toMatchObject({ mustChangePassword: false });
  expect((await person.get('/api/alarms')).status).toBe(200);
  // Whoever had the old password is out.
  expect((await other.get('/api/me')).status).toBe(401);
  await expect(box.signIn('李四', password)).rejects.toThrow('401');
});

test('the first administrator gets a generated password that must be changed, told once', async () => {
  const box = await Box.start();
  expect(await box.accounts.bootstrap()).toBeNull();
  const { Journal } = await import('../../src/journal/journal.ts');
  const { Accounts } = await import('../../src/api/accounts.ts');
  const journal = await Journal.open({
    dir: dataDir(),
    clock: box.clock,
    log: { child: () => null } as never,
    newId: box.newId,
  });
  const accounts = await Accounts.load({ journal, clock: box.clock });
  const login = await accounts.bootstrap();
  expect(login).toMatchObject({ name: 'admin', password: expect.stringMatching(/^(\w{4}-){3}\w{4}$/) });
  expect(accounts.get('admin')).toMatchObject({ role: 'admin', mustChange: true });
  expect(JSON.stringify(journal.read({ limit: 100 }))).not.toContain(login?.password);
  const [stored] = journal.select<{ hash: string }>('SELECT hash FROM accounts');
  expect(stored?.hash, 'a person’s password is dear to guess').toMatch(/^scrypt\$32768\$8\$1\$/);
  await journal.close();
});

test('there is always an administrator left, also when two are demoted at the same moment', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  expect(await admin.ask('DELETE', '/api/accounts/admin')).toMatchObject({ status: 409 });
  expect(await admin.ask('PATCH', '/api/accounts/admin', { role: 'viewer' })).toMatchObject({ status: 409 });
  await box.accounts.create({ name: 'second', display: 'second', role: 'admin' }, 'system');
  const both = await Promise.allSettled([
    box.accounts.update('admin', { role: 'viewer' }, 'system'),
    box.accounts.update('second', { disabled: true }, 'system'),
  ]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('every change of an account is in the journal, with who did it and without the password', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const { body } = await admin.post<{ password: string }>('/api/accounts', {
    name: 'wang',
    display: '王',
    role: 'viewer',
  });
  await admin.ask('PATCH', '/api/accounts/wang', { role: 'operator' });
  await admin.post('/api/accounts/wang/password');
  await admin.ask('DELETE', '/api/accounts/wang');
  const { body: read } = await admin.get<{ entries: { actor: string; body: { what: string } }[] }>(
    '/api/journal?subject=account:wang',
  );
  expect(read.entries.map(({ actor, body: { what } }) => [actor, what])).toEqual([
    ['user:admin', 'created'],
    ['user:admin', 'updated'],
    ['user:admin', 'password reset'],
    ['user:admin', 'removed'],
  ]);
  expect(JSON.stringify(read)).not.toContain(body.password);
  expect(JSON.stringify(read)).not.toContain('scrypt');
});

test('an account that exists is not made twice', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const draft = { name: 'twin', display: 'twin', role: 'viewer' };
  const both = await Promise.all([admin.post('/api/accounts', draft), admin.post('/api/accounts', draft)]);
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
});
