import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { expect, onTestFinished, test } from 'vitest';
import { openAuthority } from '../../src/broker/ca.ts';
import { stagedRestore } from '../../src/journal/restore-request.ts';
import { recordRestore, runStagedRestore } from '../../src/journal/staged-restore.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { dataDir } from '../support/data-dir.ts';
import { freePort } from '../support/ports.ts';
import { Box } from './box.ts';

interface Backups {
  backups: { name: string; bytes: number }[];
  staged: { name: string } | null;
}

test('a backup is made, listed, fetched by an administrator, and put back at the next start; what was there is kept', async () => {
  const clock = new SystemClock();
  const box = await Box.start();
  const admin = await box.signIn();
  const kept = await box.say('sos-1', 'sos');
  await admin.post('/api/system/backup');
  const lost = await box.say('sos-2', 'sos');
  const { backups } = (await admin.get<Backups>('/api/backups')).body;
  expect(backups).toHaveLength(1);
  const name = backups[0]?.name ?? '';
  const file = await fetch(`${box.base}/api/backups/${name}`, { headers: { cookie: admin.cookie } });
  expect(file.headers.get('content-disposition')).toContain(name);
  expect(
    Buffer.from(await file.arrayBuffer())
      .subarray(0, 15)
      .toString(),
  ).toBe('SQLite format 3');
  expect((await admin.get('/api/backups/..%2Fquanwei.db')).status).toBe(400);
  expect((await admin.get('/api/backups/quanwei-20200101T000000Z.db')).status).toBe(404);

  await admin.post(`/api/backups/${name}/restore`, { confirm: true });
  expect((await admin.ask('DELETE', '/api/backups/restore')).status).toBe(200);
  expect(stagedRestore(box.dir)).toBeNull();
  const staged = await admin.post<Backups>(`/api/backups/${name}/restore`, { confirm: true });
  expect(staged.body.staged).toMatchObject({ name });
  const told = box.journal
    .read({ kinds: ['system.backup'], limit: 9 })
    .map(({ body }) => (body as { what?: string }).what);
  expect(told).toEqual([undefined, 'downloaded', 'restore asked for', 'restore cancelled', 'restore asked for']);
  await box.stop();

  const outcome = await runStagedRestore(box.dir, clock);
  expect(outcome).toMatchObject({ actor: 'user:admin', why: null });
  expect(existsSync(outcome?.setAside ?? '')).toBe(true);
  const again = await Box.start({ dir: box.dir });
  expect(again.board.get(kept.id)).not.toBeNull();
  expect(again.board.get(lost.id)).toBeNull();
  expect(await runStagedRestore(dataDir(), clock)).toBeNull();
});

test('a backup that waits to be put back outlives newer ones, and a gateway started twice does not lose the wish', async () => {
  const box = await Box.start({ settings: { backup: { keep: 1 } } });
  const admin = await box.signIn();
  await admin.post('/api/system/backup');
  const [first] = (await admin.get<Backups>('/api/backups')).body.backups;
  await admin.post(`/api/backups/${first?.name}/restore`, { confirm: true });
  await admin.post('/api/system/backup');
  await admin.post('/api/system/backup');
  const names = (await admin.get<Backups>('/api/backups')).body.backups.map(({ name }) => name);
  expect(names).toContain(first?.name);
  expect(names).toHaveLength(2);
  await expect(runStagedRestore(box.dir, new SystemClock())).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
  expect(stagedRestore(box.dir)?.file).toContain(first?.name);
});

test('a backup that cannot be put back leaves what is there, and is not tried again', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const alarm = await box.say('sos-1', 'sos');
  await admin.post('/api/system/backup');
  const { backups } = (await admin.get<Backups>('/api/backups')).body;
  await admin.post(`/api/backups/${backups[0]?.name}/restore`, { confirm: true });
  await box.stop();
  const { rmSync } = await import('node:fs');
  rmSync(join(box.dir, 'backups'), { recursive: true });
  const outcome = await runStagedRestore(box.dir, new SystemClock());
  if (outcome === null) throw new Error('nothing was asked for');
  expect(outcome.why).toContain('no such backup');
  expect(await runStagedRestore(box.dir, new SystemClock())).toEqual(outcome);
  const again = await Box.start({ dir: box.dir });
  await recordRestore(again.journal, outcome);
  expect(readdirSync(box.dir).filter((one) => one.startsWith('restore'))).toEqual([]);
  expect(again.board.get(alarm.id)).not.toBeNull();
});

test('the CA is there for devices, its certificates are listed and revoked; nothing is made by looking', async () => {
  const dir = dataDir();
  const ca = await openAuthority(dir, new SystemClock());
  const box = await Box.start({ dir, parts: { ca } });
  const admin = await box.signIn();
  expect((await admin.get('/api/certificates')).body).toEqual({ ca: null, used: [], issued: [] });
  expect((await admin.get('/api/certificates/ca.crt')).status).toBe(404);
  expect(existsSync(join(dir, 'ca'))).toBe(false);
  const { serial } = await ca.issue('door-1');
  const { body } = await admin.get<{
    ca: { fingerprint: string };
    issued: { serial: string; revoked: string | null }[];
  }>('/api/certificates');
  const pem = (await (await box.person('viewer')).get<string>('/api/certificates/ca.crt')).body;
  expect(new X509Certificate(pem).fingerprint256).toBe(body.ca.fingerprint);
  const named = body.issued[0]?.serial ?? '';
  expect(serial.toLowerCase()).toContain(named);
  const revoked = await admin.post(`/api/certificates/${named}/revoke`, { reason: '设备丢失' });
  expect(revoked.status).toBe(200);
  expect(ca.revoked(serial)).toBe(true);
  expect((await admin.post(`/api/certificates/${named}/revoke`, { reason: '再来一次' })).status).toBe(409);
  expect(box.journal.read({ kinds: ['setting.changed'], limit: 9 }).at(-1)).toMatchObject({
    actor: 'user:admin',
    body: { what: 'certificate revoked', device: 'door-1', reason: '设备丢失' },
  });
});

test('the way to the centre is tried with what is typed, and nothing is changed by it', async () => {
  const aedes = await Aedes.createBroker({
    authenticate: (_client, name, password, done) =>
      done(null, name === 'spring' && password?.toString() === 'right-one'),
  });
  const port = await freePort();
  const server: Server = createServer(aedes.handle).listen(port, '127.0.0.1');
  onTestFinished(() => new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve()))));
  const box = await Box.start();
  const admin = await box.signIn();
  const value = {
    url: `mqtt://127.0.0.1:${port}`,
    username: 'spring',
    protocol: '3.1.1',
    confirm: 'broker',
    orders: true,
  };
  const tried = (more: object) => admin.post('/api/settings/upstream/test', { value: { ...value, ...more } });
  expect((await tried({ password: 'right-one' })).body).toMatchObject({ ok: true, why: null });
  expect((await tried({ password: 'wrong-one' })).body).toMatchObject({
    ok: false,
    why: expect.stringMatching(/auth/i),
  });
  expect((await tried({ url: `mqtt://127.0.0.1:${await freePort()}` })).body).toMatchObject({ ok: false });
  expect((await tried({ url: 'ftp://x' })).body).toMatchObject({ error: { where: 'url' } });
  expect(box.journal.read({ kinds: ['setting.changed'], limit: 9 })).toEqual([]);
});

test('the first setting-up is wanted once, remembered on the box, and on the record', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  expect((await admin.get('/api/first-run')).body).toMatchObject({ state: 'none', centre: false });
  await admin.ask('PUT', '/api/first-run', { state: 'due' });
  await box.stop();
  const again = await Box.start({ dir: box.dir });
  const chief = await again.signIn();
  expect((await chief.get('/api/first-run')).body).toMatchObject({ state: 'due' });
  expect((await chief.ask('PUT', '/api/first-run', { state: 'finished' })).body).toMatchObject({ state: 'finished' });
  expect(again.journal.read({ kinds: ['setting.changed'], limit: 9 }).at(-1)).toMatchObject({
    body: { section: 'first-run', before: { state: 'due' }, after: { state: 'finished' } },
  });
  expect((await (await again.person('manager')).get('/api/first-run')).status).toBe(403);
});
