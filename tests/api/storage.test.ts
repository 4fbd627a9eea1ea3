import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { canMount, failingDisk } from '../journal/mount.ts';
import { ADMIN, Box, until } from './box.ts';
import { Stream } from './stream.ts';

test('healthy is whoever can store an alarm; a quiet night is checked by storing', async () => {
  const clock = new SimulatedClock();
  const box = await Box.start({ clock });
  const look = () => box.nobody().get('/healthz');
  expect(await look()).toMatchObject({ status: 200, body: { ok: true, reasons: [] } });
  const commits = box.journal.state().commits;
  for (let n = 0; n < 50; n += 1) await look();
  expect(box.journal.state().commits).toBe(commits);
  clock.advance(31_000);
  expect((await look()).status).toBe(200);
  expect(box.journal.state().commits).toBeGreaterThan(commits);
});

test('no listener for devices is not healthy', async () => {
  const broker = {
    addresses: [],
    stats: () => ({}),
    connected: () => false,
    recheck: async () => undefined,
  };
  const box = await Box.start({ parts: { broker } });
  expect(await box.nobody().get('/healthz')).toMatchObject({ status: 503, body: { ok: false } });
});

describe.runIf(canMount())('a disk that turns read-only', () => {
  test('is told by health, by the live stream, and by refusing what cannot be recorded; one can still sign in', async () => {
    const disk = failingDisk();
    const clock = new SimulatedClock();
    const box = await Box.start({ dir: disk.dir, clock });
    const guard = await box.person('operator', 'guard');
    const alarm = await box.say('sos-1', 'sos');
    const stream = await Stream.open(guard);
    disk.fail();
    // The quiet night: nothing has been written since, and health finds out.
    clock.advance(31_000);
    expect(await box.nobody().get('/healthz')).toMatchObject({ status: 503, body: { ok: false } });
    await until(
      () => stream.named('state').some(({ data }) => (data['storage'] as { ok: boolean }).ok === false),
      'the stream tells',
    );
    expect(await guard.post(`/api/alarms/${alarm.id}/acknowledge`)).toMatchObject({
      status: 503,
      body: { error: { code: 'STORAGE_UNAVAILABLE' } },
    });
    expect(box.board.get(alarm.id)?.acknowledgedBy).toBeNull();
    const late = await box.signIn('admin', ADMIN);
    expect((await late.get('/api/alarms')).body).toMatchObject({ alarms: [{ id: alarm.id }] });
    expect((await late.post('/api/logout')).status).toBe(200);
    expect((await late.get('/api/me')).status).toBe(401);
    await box.stop();
  });
});

test('metrics are for this box and for people signed in', async () => {
  const box = await Box.start();
  await box.say('sos-1', 'sos');
  const { status, body } = await box.nobody().get<string>('/metrics');
  expect(status).toBe(200);
  expect(body).toContain('quanwei_storage_ok 1');
  expect(body).toContain('quanwei_alarms_open{level="1",condition="active-unacknowledged"} 1');
  expect(body).toContain('quanwei_broker{what="devices"} 0');
  expect(body).toMatch(/quanwei_http_requests_total\{route="\/metrics|process_resident_memory_bytes/);
});

test('a backup is made, examined and told in the journal; the chain is walked and found whole', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const made = await admin.post<{ file: string; head: number }>('/api/system/backup');
  expect(made).toMatchObject({ status: 200, body: { head: expect.any(Number) } });
  expect(box.journal.read({ kinds: ['system.backup'], limit: 1 })).toMatchObject([
    { actor: 'user:admin', body: { file: made.body.file } },
  ]);
  expect((await admin.post('/api/journal/verification')).body).toMatchObject({ state: 'running' });
  let state: unknown = 'running';
  for (let tries = 0; state === 'running' && tries < 500; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    state = (await admin.get('/api/journal/verification')).body['state'];
  }
  expect(state).toBe('intact');
});
