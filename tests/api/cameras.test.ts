import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { VisionLink } from '../../src/api/vision-link.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { createLog } from '../../src/kernel/log.ts';
import { liveFeed } from '../../src/vision/serve/feed.ts';
import { LiveStream } from '../../src/vision/serve/live-stream.ts';
import { NewestPicture } from '../../src/vision/serve/newest-picture.ts';
import { serve } from '../../src/vision/serve/server.ts';
import { dataDir } from '../support/data-dir.ts';
import { WALL } from '../support/fence.ts';
import { Box, type Person } from './box.ts';

const TOKEN = 'the-token-of-the-test';
const REF = 'media/2026/06/01/cam-1.mp4';
const clock = new SystemClock();
let film: string;

beforeAll(() => {
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-test-'));
  film = join(dir, 'film.mp4');
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=160x90:rate=10', '-t', '3'];
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-pix_fmt', 'yuv420p'];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...source, ...codec, film]);
  return () => rmSync(dir, { recursive: true, force: true });
});

/** The page's server, and the vision process's own listener behind it. @param here whether both share a directory */
async function site({ here = true, away = false } = {}) {
  const data = dataDir();
  mkdirSync(join(data, 'media/2026/06/01'), { recursive: true });
  writeFileSync(join(data, REF), Buffer.from(Array.from({ length: 100 }, (_, i) => i)));
  const picture = new NewestPicture(() => Promise.resolve(Buffer.from('a picture')));
  const live = new LiveStream(
    liveFeed(() => Promise.resolve(film), 'tcp', { clock }),
    clock,
  );
  const served = await serve({
    listen: 'http://127.0.0.1:0',
    token: TOKEN,
    data,
    log: createLog('test', 'silent'),
    cameras: () => [
      { id: 'cam-1', state: 'offline', reason: 'wrong user name or password', fps: null, pictureAt: null },
    ],
    picture: (id) => (id === 'cam-1' ? picture : null),
    live: (id) => (id === 'cam-1' ? live : null),
  });
  onTestFinished(async () => {
    await live.stop();
    await served.close();
  });
  if (away) await served.close();
  const vision = {
    link: new VisionLink({ url: served.address, token: TOKEN }),
    data: here ? data : dataDir(),
  };
  const cameras = [
    {
      id: 'cam-1',
      url: film,
      place: '东墙',
      fences: [WALL],
    },
  ];
  const box = await Box.start({ settings: { cameras }, parts: { vision } });
  return { box, picture, live, operator: await box.person('operator') };
}

const raw = (person: Person, path: string, headers: Record<string, string> = {}) =>
  fetch(person.base + path, { headers: { cookie: person.cookie, ...headers } });

function socket(person: Person, path: string, origin: string = person.base): WebSocket {
  const client = new WebSocket(person.base.replace('http', 'ws') + path, {
    headers: { cookie: person.cookie, origin },
  });
  onTestFinished(() => client.terminate());
  return client;
}

const viewed = (box: Box) =>
  box.journal
    .read({ after: 0, limit: 500, kinds: ['media.viewed'] })
    .map(({ actor, subject, body }) => [actor, (body as { what: string }).what, subject]);

test('the list of cameras tells why one gives no picture, and that the vision process is away', async () => {
  const { box } = await site();
  const answer = await (await box.person('viewer')).get('/api/cameras');
  expect(answer.body).toMatchObject({
    vision: true,
    cameras: [
      { id: 'cam-1', place: '东墙', online: null, reason: 'wrong user name or password', fences: 1, faces: false },
    ],
  });
  const gone = await site({ away: true });
  expect((await gone.operator.get('/api/cameras')).body).toMatchObject({
    vision: false,
    cameras: [{ id: 'cam-1', reason: null }],
  });
  expect((await gone.operator.get('/api/cameras/cam-1/snapshot')).status).toBe(503);
});

test('a picture of now is for operators, and who looked is recorded once in a while', async () => {
  const { box, operator, picture } = await site();
  expect((await operator.get('/api/cameras/cam-1/snapshot')).status).toBe(503);
  picture.put({ width: 1, height: 1, data: new Uint8Array(3) }, 1_000);
  const answer = await raw(operator, '/api/cameras/cam-1/snapshot');
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
    200,
    'image/jpeg',
    'a picture',
  ]);
  expect((await raw(operator, '/api/cameras/cam-1/snapshot')).status).toBe(200);
  expect((await box.nobody().get('/api/cameras/cam-1/snapshot')).status).toBe(401);
  expect((await operator.get('/api/cameras/cam-2/snapshot')).status).toBe(404);
  await expect.poll(() => viewed(box)).toEqual([['user:operator', 'snapshot', 'cam-1']]);
});

test.each([
  ['this box', true],
  ['another box, through the vision process', false],
])('evidence on %s: whole, in part, with its type and no other; each copy is recorded', async (_name, here) => {
  const { box, operator } = await site({ here });
  const whole = await raw(operator, `/api/${REF}`);
  expect([whole.status, whole.headers.get('content-type'), whole.headers.get('x-content-type-options')]).toEqual([
    200,
    'video/mp4',
    'nosniff',
  ]);
  expect((await whole.arrayBuffer()).byteLength).toBe(100);
  const part = await raw(operator, `/api/${REF}`, { range: 'bytes=10-19' });
  expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 10-19/100']);
  expect([...new Uint8Array(await part.arrayBuffer())][0]).toBe(10);
  expect((await raw(operator, `/api/${REF}`, { range: 'bytes=500-' })).status).toBe(416);
  const copy = await raw(operator, `/api/${REF}?copy=1`);
  expect(copy.headers.get('content-disposition')).toBe('attachment; filename="cam-1.mp4"');
  await copy.arrayBuffer();
  await (await raw(operator, `/api/${REF}?copy=1`)).arrayBuffer();
  for (const path of [
    '2026/06/01/other.mp4',
    '2026/06/01/..%2fcam-1.mp4',
    '2026/06/01/cam-1.html',
    '2026/6/1/cam-1.mp4',
  ]) {
    expect([400, 404], path).toContain((await operator.get(`/api/media/${path}`)).status);
  }
  expect((await box.nobody().get(`/api/${REF}`)).status).toBe(401);
  await expect
    .poll(() => viewed(box))
    .toEqual([
      ['user:operator', 'evidence', REF],
      ['user:operator', 'copy', REF],
      ['user:operator', 'copy', REF],
    ]);
});

test('a live view over WebSocket: codec first, then the stream; it ends with the session', async () => {
  const { box, operator, live } = await site();
  const client = socket(operator, '/api/cameras/cam-1/live?stream=main');
  const got: (string | number)[] = [];
  client.on('message', (data: Buffer, binary) => got.push(binary ? data.length : data.toString()));
  const closed = once(client, 'close');
  while (got.length < 4) await once(client, 'message');
  expect(JSON.parse(String(got[0]))).toEqual({ codec: expect.stringMatching(/^avc1\./) });
  expect(got.slice(1).every((one) => typeof one === 'number' && one > 0)).toBe(true);
  await expect.poll(() => viewed(box)).toEqual([['user:operator', 'live', 'cam-1']]);
  await operator.post('/api/logout', {});
  expect(await closed).toEqual([1001, expect.anything()]);
  await expect.poll(() => live.viewers).toBe(0);
}, 20_000);

test('a live view is refused to another site, to nobody, to a viewer, and beyond the limit', async () => {
  const { box, operator } = await site();
  const refused = async (client: WebSocket): Promise<string> => {
    const [thrown] = (await once(client, 'error')) as [Error];
    return thrown.message;
  };
  const path = '/api/cameras/cam-1/live';
  expect(await refused(socket(operator, path, 'https://elsewhere.example'))).toContain('403');
  expect(await refused(socket(box.nobody(), path))).toContain('401');
  expect(await refused(socket(await box.person('viewer'), path))).toContain('403');
  expect((await operator.get(path)).status).toBe(400);
  const open = Array.from({ length: 6 }, () => socket(operator, path));
  await Promise.all(open.map((one) => once(one, 'message')));
  const [code] = (await once(socket(operator, path), 'close')) as [number];
  expect(code).toBe(1013);
  const mjpeg = await operator.get('/api/cameras/cam-1/mjpeg');
  expect(mjpeg.status).toBe(429);
}, 20_000);

test('pictures one after the other where a browser cannot play the stream, until it goes away', async () => {
  const { operator, picture } = await site();
  picture.put({ width: 1, height: 1, data: new Uint8Array(3) }, 1_000);
  const stop = new AbortController();
  const answer = await fetch(`${operator.base}/api/cameras/cam-1/mjpeg`, {
    headers: { cookie: operator.cookie },
    signal: stop.signal,
  });
  expect(answer.headers.get('content-type')).toContain('multipart/x-mixed-replace');
  const first = Buffer.from((await answer.body?.getReader().read())?.value ?? []).toString();
  expect(first).toContain('content-type: image/jpeg');
  stop.abort();
});

test('a vision process that stops in the middle of its list of cameras holds up nobody', async () => {
  const half = createServer((_request, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.write('{"cameras":[');
  }).listen(0, '127.0.0.1');
  await once(half, 'listening');
  onTestFinished(() => {
    half.closeAllConnections();
    half.close();
  });
  const { port } = half.address() as AddressInfo;
  const link = new VisionLink({ url: `http://127.0.0.1:${port}`, token: TOKEN }, 200);
  expect(await link.state()).toBe(null);
});
