import { expect, onTestFinished, test } from 'vitest';
import { SettingsPush } from '../../src/api/settings-push.ts';
import { VisionLink } from '../../src/api/vision-link.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { createLog } from '../../src/kernel/log.ts';
import { serve } from '../../src/vision/serve/server.ts';
import { dataDir } from '../support/data-dir.ts';
import { freePort } from '../support/ports.ts';
import { Box, type Person, until } from './box.ts';

const log = createLog('test', 'silent');
const URL = '/api/cameras/cam-1/settings';
const EVIL = '<img src=x onerror=alert(1)>';
const wall = (y: number) => [
  [0.1, y],
  [0.9, y],
];
const fence = { id: 'east', name: '东墙', top: wall(0.3), base: wall(0.7) };
const cameras = [
  {
    id: 'cam-1',
    name: '东墙',
    url: 'rtsp://viewer:p4ssw0rd@10.0.0.7/1',
    fences: [fence],
    zones: [{ points: [...wall(0.8), [0.5, 1]], loiter: '90s' }],
    faces: { opens: 'door-1', strangers: true },
  },
  { id: 'cam-2', url: '/no/such/film.mp4' },
];

interface View {
  readonly source: string;
  readonly version: string;
  readonly settings: Record<string, unknown> & { fences: Record<string, unknown>[] };
  readonly file: unknown;
  readonly changed: number | null;
  readonly actor: string | null;
  readonly inUse: boolean | null;
}

const box = () => Box.start({ settings: { cameras } });
const put = (person: Person, version: string, to: unknown) => person.ask<View>('PUT', URL, { version, settings: to });
const audit = ({ journal }: Box) => journal.read({ after: 0, limit: 100, kinds: ['setting.changed'] });

test('settings are shown as one writes them, without address, password and door', async () => {
  const person = await (await box()).person('operator');
  const { body } = await person.get<View>(URL);
  expect(body).toMatchObject({ source: 'file', changed: null, actor: null, inUse: null });
  expect(body.settings).toMatchObject({ fps: 5, zones: [{ id: 'zone-1', loiter: '90s' }], faces: { strangers: true } });
  expect(body.file).toEqual(body.settings);
  expect(JSON.stringify(body)).not.toMatch(/p4ssw0rd|10\.0\.0\.7|door-1/);
  expect((await person.get('/api/cameras/nobody/settings')).status).toBe(404);
});

test('a manager changes them in one transaction with its entry; they outlive a restart and can be taken back', async () => {
  const first = await box();
  const manager = await first.person('manager');
  const { body: before } = await manager.get<View>(URL);
  const wanted = { ...before.settings, fps: 8, fences: [{ ...fence, name: EVIL, direction: 'in', inside: 'near' }] };
  const { status, body } = await put(manager, before.version, wanted);
  expect([status, body.source, body.actor]).toEqual([200, 'page', 'user:manager']);
  expect(body.settings.fences[0]).toMatchObject({ name: EVIL, direction: 'in' });
  expect(audit(first)).toMatchObject([
    { actor: 'user:manager', subject: 'cam-1', body: { source: 'page', from: before.settings, to: body.settings } },
  ]);
  const [camera] = first.cameras.all();
  expect(camera).toMatchObject({ fps: 8, url: cameras[0]?.url, faces: { opens: 'door-1', strangers: true } });
  expect((await manager.get('/api/cameras')).body).toMatchObject({ cameras: [{ wanted: 8, opens: 'door-1' }, {}] });
  await first.stop();

  const second = await Box.start({ dir: first.dir, settings: { cameras } });
  const again = await second.signIn('manager', 'a-password-of-the-test');
  expect((await again.get<View>(URL)).body).toMatchObject({ source: 'page', version: body.version });
  const reset = await again.ask<View>('DELETE', URL, { version: body.version });
  expect(reset.body).toMatchObject({ source: 'file', settings: before.settings });
  expect(audit(second)).toHaveLength(2);
  expect(second.cameras.told().text).toContain('"cameras":{}');
});

test('who was slower is told what it is now; what cannot be a fence, a bound or a door is refused', async () => {
  const it = await box();
  const manager = await it.person('manager');
  const { body: before } = await manager.get<View>(URL);
  await put(manager, before.version, { ...before.settings, fps: 6 });
  const late = await put(manager, before.version, { ...before.settings, fps: 9 });
  expect([late.status, late.body]).toMatchObject([409, { current: { settings: { fps: 6 } } }]);

  const { version } = (await manager.get<View>(URL)).body;
  const refused = async (change: Record<string, unknown>): Promise<unknown> => {
    const { status, body } = await put(manager, version, { ...before.settings, ...change });
    return [status, (body as unknown as { error: { where: string } }).error.where];
  };
  expect(await refused({ fences: [{ ...fence, top: wall(0.9) }] })).toEqual([400, 'fences[0].top']);
  expect(await refused({ fences: [{ ...fence, direction: 'in' }] })).toEqual([400, 'fences[0].direction']);
  expect(await refused({ fps: 16 })).toEqual([400, 'body/settings/fps']);
  expect(await refused({ url: 'rtsp://10.0.0.9/' })).toEqual([400, 'body/settings']);
  expect(await refused({ faces: { opens: 'door-1' } })).toMatchObject([400, expect.stringContaining('faces')]);
  expect(await refused({ masks: [Array(33).fill([0, 0])] })).toMatchObject([400, expect.stringContaining('masks')]);
  expect((await put(await it.person('operator'), version, before.settings)).status).toBe(403);
  expect(audit(it)).toHaveLength(1);
});

test('the vision process gets them when they change; one that was away gets them when it is back', async () => {
  const it = await box();
  const manager = await it.person('manager');
  const port = await freePort();
  const clock = new SimulatedClock();
  const link = new VisionLink({ url: `http://127.0.0.1:${port}`, token: 'token' });
  const push = new SettingsPush({ settings: it.cameras, link, clock, log, random: () => 0 });
  onTestFinished(() => push.stop());
  const { body } = await manager.get<View>(URL);
  await put(manager, body.version, { ...body.settings, fps: 7 });

  const got: string[] = [];
  const served = await serve({
    ...{ listen: `http://127.0.0.1:${port}`, token: 'token', data: dataDir(), log },
    ...{ cameras: () => [], picture: () => null, live: () => null },
    settings: { version: () => got.at(-1)?.slice(12, 44) ?? null, put: (text) => void got.push(text) },
  });
  onTestFinished(() => served.close());
  // It is tried again by itself.
  await expect
    .poll(() => {
      clock.advance(60_000);
      return got.length;
    })
    .toBeGreaterThan(0);
  expect(got.at(-1)).toBe(it.cameras.told().text);
  const { version } = (await manager.get<View>(URL)).body;
  await put(manager, version, { ...body.settings, fps: 3 });
  await until(() => got.at(-1)?.includes('"fps":3') === true, 'the change is told');
});
