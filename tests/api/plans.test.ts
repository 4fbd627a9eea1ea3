import { crc32, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { backup, restore } from '../../src/journal/backup.ts';
import { dataDir } from '../support/data-dir.ts';
import { Box, type Person } from './box.ts';

interface Plan {
  id: string;
  name: string;
  width: number;
  height: number;
  sha256: string;
  bytes: number;
  areas: { id: string; name: string; points: [number, number][]; opens: string | null }[];
}
interface PlanList {
  plans: Plan[];
  spots: { device: string; plan: string; x: number; y: number }[];
}
interface Refusal {
  error: { code: string; message: string };
}

const drawing = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#dfe7e1' } }).composite([
    { input: { create: { width: 40, height: 30, channels: 3, background: '#7a8a80' } }, left: 10, top: 20 },
  ]);
const png = (width = 400, height = 300): Promise<Buffer> => drawing(width, height).png().toBuffer();

async function upload<T = Plan>(
  person: Person,
  bytes: Buffer,
  type = 'image/png',
  path = '/api/plans?name=%E5%85%A8%E5%9B%AD',
  method = 'POST',
): Promise<{ status: number; body: T }> {
  const answer = await fetch(person.base + path, {
    method,
    headers: { cookie: person.cookie, 'content-type': type },
    body: new Uint8Array(bytes),
  });
  return { status: answer.status, body: (await answer.json()) as T };
}

async function picture(person: Person, plan: Plan, tag?: string): Promise<Response> {
  return fetch(`${person.base}/api/plans/${plan.id}/picture`, {
    headers: { cookie: person.cookie, ...(tag === undefined ? {} : { 'if-none-match': tag }) },
  });
}

test('a plan is drawn anew when it comes: upright, small enough, without what the camera wrote beside it', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  const photo = await drawing(4_500, 1_500)
    .jpeg()
    .withExif({ IFD0: { Artist: 'somebody at home' } })
    .withMetadata({ orientation: 6 })
    .toBuffer();
  const { status, body: plan } = await upload(manager, photo, 'image/jpeg');
  expect(status).toBe(200);
  // A quarter turn, as the camera was held; the longest side is that of 4096.
  expect(plan).toMatchObject({ name: '全园', width: 1365, height: 4096, areas: [] });
  const answer = await picture(manager, plan);
  expect(answer.headers.get('content-type')).toBe('image/webp');
  expect(answer.headers.get('etag')).toBe(`"${plan.sha256}"`);
  expect(answer.headers.get('cache-control')).toBe('private, no-cache');
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(bytes.length).toBe(plan.bytes);
  const about = await sharp(bytes).metadata();
  expect(about).toMatchObject({ format: 'webp', width: 1365, height: 4096 });
  expect([about.exif, about.icc, about.xmp]).toEqual([undefined, undefined, undefined]);
  expect((await picture(manager, plan, `"${plan.sha256}"`)).status).toBe(304);
  expect((await picture(box.nobody(), plan)).status).toBe(401);
});

/** A PNG that says it is so large; what it holds is not looked at any more. To compress 121 million points takes seconds. */
function claiming(width: number, height: number, png: Buffer): Buffer {
  const other = Buffer.from(png);
  other.writeUInt32BE(width, 16);
  other.writeUInt32BE(height, 20);
  other.writeUInt32BE(crc32(other.subarray(12, 29)), 29);
  return other;
}

test('what is no sound picture of the three kinds is refused in words, and nothing of it is kept', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  const whole = await png(1_200, 900);
  const refused: [string, Buffer, string, string, RegExp][] = [
    ['a drawing with a script', svg, 'image/svg+xml', 'BAD_REQUEST', /only image\/png/],
    ['the same under another name', svg, 'image/png', 'BAD_PICTURE', /PNG、JPEG、WebP/],
    ['a page', Buffer.from('<html></html>'), 'image/webp', 'BAD_PICTURE', /PNG、JPEG、WebP/],
    ['an archive', gzipSync(whole), 'image/png', 'BAD_PICTURE', /PNG、JPEG、WebP/],
    ['GIF', await drawing(100, 100).gif().toBuffer(), 'image/png', 'BAD_PICTURE', /PNG、JPEG、WebP/],
    ['half a PNG', whole.subarray(0, whole.length >> 1), 'image/png', 'BAD_PICTURE', /damaged/],
    [
      'half a JPEG',
      (await drawing(900, 900).jpeg().toBuffer()).subarray(0, 3_000),
      'image/jpeg',
      'BAD_PICTURE',
      /damaged/,
    ],
    ['a head without a body', whole.subarray(0, 30), 'image/png', 'BAD_PICTURE', /damaged/],
    ['a dot', await drawing(60, 400).png().toBuffer(), 'image/png', 'BAD_PICTURE', /too small/],
    ['121 megapixels', claiming(11_000, 11_000, whole), 'image/png', 'BAD_PICTURE', /pixels/],
    ['12 MB', Buffer.concat([whole, Buffer.alloc(12 * 1024 * 1024)]), 'image/png', 'BAD_PICTURE', /too large/],
  ];
  for (const [what, bytes, type, code, words] of refused) {
    const { status, body } = await upload<Refusal>(manager, bytes, type);
    expect([what, status, body.error.code]).toEqual([what, 400, code]);
    expect(body.error.message, what).toMatch(words);
  }
  expect((await manager.get<PlanList>('/api/plans')).body.plans).toEqual([]);
  expect(box.journal.select('SELECT count(*) AS n FROM plan_pictures')).toEqual([{ n: 0 }]);
  // Afterwards a good one is taken: nobody is left waiting for a child that is gone.
  expect((await upload(manager, whole)).status).toBe(200);
}, 60_000);

test('a body without a length is stopped at the bound', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 65_536;
      if (sent > 16 * 1024 * 1024) controller.close();
      else controller.enqueue(new Uint8Array(65_536));
    },
  });
  const answer = await fetch(`${box.base}/api/plans?name=x`, {
    method: 'POST',
    headers: { cookie: manager.cookie, 'content-type': 'image/png' },
    body: endless,
    duplex: 'half',
  } as RequestInit);
  expect([answer.status, ((await answer.json()) as Refusal).error.code]).toEqual([400, 'BAD_PICTURE']);
});

test('names and paths are text: nothing outside can be asked for', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  const name = '../../etc/passwd<img src=x onerror=alert(1)>';
  const { body: plan } = await upload(manager, await png(), 'image/png', `/api/plans?name=${encodeURIComponent(name)}`);
  expect(plan.name).toBe(name);
  for (const id of ['..%2f..%2fquanwei.db', '%2e%2e', `${plan.id}%00`, `${plan.id}/../../accounts`]) {
    const answer = await manager.get(`/api/plans/${id}/picture`);
    expect([400, 404], id).toContain(answer.status);
  }
  expect((await upload(manager, await png(), 'image/png', '/api/plans?name=')).status).toBe(400);
  expect((await upload(manager, await png(), 'image/png', `/api/plans?name=${'长'.repeat(65)}`)).status).toBe(400);
});

test('devices are placed and moved, areas drawn: each by whom is on the record, and all of it is there after a restart', async () => {
  const dir = dataDir();
  const box = await Box.start({ dir });
  const manager = await box.person('manager', 'wang');
  const viewer = await box.person('viewer');
  await box.registry.register({ id: 'lock-1', profile: 'esphome-lock', name: '车库门' }, 'system');
  const { body: whole } = await upload(manager, await png());
  const { body: cellar } = await upload(manager, await png(200, 200), 'image/png', '/api/plans?name=B1');

  const put = (plan: string, x: number, y: number) => manager.ask('PUT', '/api/spots/lock-1', { plan, x, y });
  expect((await put(whole.id, 0.123456789, 0.5)).body).toEqual({
    device: 'lock-1',
    plan: whole.id,
    x: 0.12346,
    y: 0.5,
  });
  expect((await put(cellar.id, 1, 0)).status).toBe(200);
  expect((await put(cellar.id, 1.01, 0)).status).toBe(400);
  expect((await put(box.newId(), 0.5, 0.5)).status).toBe(404);
  expect((await manager.ask('PUT', '/api/spots/nobody', { plan: whole.id, x: 0, y: 0 })).status).toBe(404);
  expect((await viewer.ask('PUT', '/api/spots/lock-1', { plan: whole.id, x: 0, y: 0 })).status).toBe(403);

  const points = [
    [0.1, 0.1],
    [0.3, 0.1],
    [0.3, 0.4],
  ];
  const area = { name: '3号楼', points, opens: cellar.id };
  const { body: made } = await manager.post<{ id: string }>(`/api/plans/${whole.id}/areas`, area);
  expect((await manager.post(`/api/plans/${whole.id}/areas`, { ...area, points: points.slice(1) })).status).toBe(400);
  expect((await manager.post(`/api/plans/${cellar.id}/areas`, area)).body).toMatchObject({
    error: { code: 'BAD_REQUEST', where: 'opens' },
  });
  await manager.ask('PUT', `/api/areas/${made.id}`, { ...area, name: '3号楼（高层）' });

  const { body: again } = await upload(
    manager,
    await png(800, 600),
    'image/png',
    `/api/plans/${whole.id}/picture`,
    'PUT',
  );
  expect(again).toMatchObject({ id: whole.id, width: 800, areas: [{ name: '3号楼（高层）' }] });
  await manager.ask('PATCH', `/api/plans/${cellar.id}`, { name: '地下车库', first: true });

  const list = (await viewer.get<PlanList>('/api/plans')).body;
  expect(list.plans.map(({ name }) => name)).toEqual(['地下车库', '全园']);
  expect(list.spots).toEqual([{ device: 'lock-1', plan: cellar.id, x: 1, y: 0 }]);
  const record = box.journal.read({ kinds: ['plan.changed'], limit: 99 });
  expect(record.map(({ actor, body }) => `${actor} ${(body as { what: string }).what}`)).toEqual([
    'user:wang added',
    'user:wang added',
    'user:wang placed',
    'user:wang placed',
    'user:wang area added',
    'user:wang area changed',
    'user:wang redrawn',
    'user:wang changed',
  ]);
  expect(record[3]).toMatchObject({ subject: `plan:${cellar.id}`, body: { before: { plan: whole.id } } });

  await box.stop();
  const next = await Box.start({ dir });
  const later = new (Object.getPrototypeOf(manager).constructor)(next.base, manager.cookie) as Person;
  expect((await later.get<PlanList>('/api/plans')).body).toEqual(list);
  expect((await later.ask('DELETE', `/api/plans/${cellar.id}`, {})).status).toBe(400);
  expect((await later.ask('DELETE', `/api/plans/${cellar.id}`, { reason: '图已过时' })).status).toBe(200);
  const left = (await later.get<PlanList>('/api/plans')).body;
  expect(left.spots).toEqual([]);
  expect(left.plans).toMatchObject([{ id: whole.id, areas: [{ opens: null }] }]);
  expect((await later.ask('DELETE', '/api/spots/lock-1')).status).toBe(404);
});

test('a backup holds the plans with their pictures', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  const { body: plan } = await upload(manager, await png());
  const to = dataDir();
  const { file } = await backup({ dir: box.dir, to, keep: 1, clock: box.clock });
  const dir = dataDir();
  await restore({ file, dir, clock: box.clock });
  const other = await Box.start({ dir });
  const answer = await picture(await other.signIn('manager', 'a-password-of-the-test'), plan);
  expect(answer.status).toBe(200);
  expect((await answer.arrayBuffer()).byteLength).toBe(plan.bytes);
});
