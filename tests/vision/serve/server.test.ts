import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { SystemClock } from '../../../src/kernel/clock.ts';
import { createLog } from '../../../src/kernel/log.ts';
import { liveFeed } from '../../../src/vision/serve/feed.ts';
import { LiveStream, type Viewer } from '../../../src/vision/serve/live-stream.ts';
import { codecOf, Mp4Reader } from '../../../src/vision/serve/mp4.ts';
import { NewestPicture } from '../../../src/vision/serve/newest-picture.ts';
import { type DoorPicture, type ServeParts, serve } from '../../../src/vision/serve/server.ts';
import { dataDir } from '../../support/data-dir.ts';

const clock = new SystemClock();
const TOKEN = 'the-token-of-the-test';
let film: string;

beforeAll(() => {
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-test-'));
  film = join(dir, 'film.mp4');
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25', '-t', '4'];
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-pix_fmt', 'yuv420p'];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...source, ...codec, film]);
  return () => rmSync(dir, { recursive: true, force: true });
});

const jpegOf = (grey: number) => ({ width: 8, height: 8, data: new Uint8Array(8 * 8 * 3).fill(grey) });
const encode = ({ width, height, data }: { width: number; height: number; data: Uint8Array }) =>
  sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();

async function served(more: Partial<ServeParts> = {}) {
  const data = dataDir();
  const picture = new NewestPicture(encode);
  const live = new LiveStream(
    liveFeed(() => Promise.resolve(film), 'tcp', { clock }),
    clock,
  );
  const server = await serve({
    listen: 'http://127.0.0.1:0',
    token: TOKEN,
    data,
    log: createLog('test', 'silent'),
    cameras: () => [{ id: 'cam', state: 'online', reason: null, fps: 5, pictureAt: picture.at }],
    picture: (id) => (id === 'cam' ? picture : null),
    live: (id) => (id === 'cam' ? live : null),
    ...more,
  });
  onTestFinished(async () => {
    await live.stop();
    await server.close();
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(server.address + path, { headers: { authorization: `Bearer ${TOKEN}`, ...headers } });
  return { ...server, data, picture, live, get };
}

const socket = (address: string, token = TOKEN) => {
  const client = new WebSocket(`${address.replace('http', 'ws')}/cameras/cam/live?stream=main`, {
    headers: { authorization: `Bearer ${token}` },
  });
  onTestFinished(() => client.terminate());
  return client;
};

test('nobody without the token gets anything, neither a picture nor a live view', async () => {
  const { address, get } = await served();
  expect((await fetch(`${address}/cameras`)).status).toBe(401);
  expect((await get('/cameras', { authorization: 'Bearer another' })).status).toBe(401);
  const [thrown] = (await once(socket(address, 'another'), 'error')) as [Error];
  expect(thrown.message).toContain('401');
  expect((await get('/cameras')).status).toBe(200);
  expect((await get('/elsewhere')).status).toBe(404);
});

test('a path that is none is refused, also where a WebSocket is asked for, and the next one is answered', async () => {
  const { address, get } = await served();
  const { port } = new URL(address);
  for (const upgrade of ['', 'connection: upgrade\r\nupgrade: websocket\r\n']) {
    const client = connect(Number(port), '127.0.0.1');
    client.write(`GET // HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n${upgrade}\r\n`);
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toContain(' 404 ');
    client.destroy();
  }
  expect((await get('/cameras')).status).toBe(200);
});

test('the newest picture of a camera, and none when there is none', async () => {
  const { get, picture } = await served();
  expect((await get('/cameras/cam/snapshot')).status).toBe(503);
  expect((await get('/cameras/other/snapshot')).status).toBe(404);
  picture.put(jpegOf(40), 1_000);
  picture.put(jpegOf(200), 2_000);
  const answer = await get('/cameras/cam/snapshot');
  expect(answer.headers.get('content-type')).toBe('image/jpeg');
  const { channels } = await sharp(Buffer.from(await answer.arrayBuffer())).stats();
  expect(channels[0]?.mean).toBeCloseTo(200, -1);
  picture.clear();
  expect((await get('/cameras/cam/snapshot')).status).toBe(503);
});

test('a picture is a copy, and stays one while it is encoded', async () => {
  const seen: number[] = [];
  const gates: (() => void)[] = [];
  const pictures = new NewestPicture(async ({ data }) => {
    await new Promise<void>((resolve) => gates.push(resolve));
    seen.push(...new Set(data));
    return Buffer.from(data.slice(0, 1));
  });
  const lent = jpegOf(0);
  const put = (grey: number) => {
    lent.data.fill(grey);
    pictures.put(lent, grey);
    lent.data.fill(255);
  };
  put(1);
  put(2);
  const second = pictures.get();
  for (const grey of [3, 4]) put(grey);
  const fourth = pictures.get();
  put(5);
  for (const open of gates.splice(0)) open();
  expect([(await second)?.jpeg[0], (await fourth)?.jpeg[0]]).toEqual([2, 4]);
  put(6);
  put(7);
  const last = pictures.get();
  for (const open of gates) open();
  expect((await last)?.jpeg[0]).toBe(7);
  expect(seen).toEqual([2, 4, 7]);
});

test('pictures one after the other, for browsers that cannot play the stream', async () => {
  const { get, picture } = await served();
  picture.put(jpegOf(10), 1);
  const answer = await get('/cameras/cam/mjpeg');
  const reader = answer.body?.getReader();
  let text = '';
  const timer = setInterval(() => picture.put(jpegOf(20), 2), 20);
  while ((text.match(/content-type: image\/jpeg/g) ?? []).length < 3) {
    text += Buffer.from((await reader?.read())?.value ?? []).toString('latin1');
  }
  clearInterval(timer);
  await reader?.cancel();
  expect(answer.headers.get('content-type')).toContain('multipart/x-mixed-replace');
});

describe('evidence', () => {
  const ref = 'media/2026/06/01/cam-1.mp4';
  function put(data: string): void {
    mkdirSync(join(data, 'media/2026/06/01'), { recursive: true });
    writeFileSync(join(data, ref), Buffer.from(Array.from({ length: 100 }, (_, i) => i)));
    writeFileSync(join(data, 'quanwei.db'), 'the journal');
  }

  test('whole, in part, and never what is not there', async () => {
    const { get, data } = await served();
    put(data);
    const whole = await get(`/${ref}`);
    expect(whole.headers.get('content-type')).toBe('video/mp4');
    expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await whole.arrayBuffer()).byteLength).toBe(100);
    const part = await get(`/${ref}`, { range: 'bytes=10-19' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 10-19/100']);
    expect([...new Uint8Array(await part.arrayBuffer())]).toEqual(Array.from({ length: 10 }, (_, i) => i + 10));
    const end = await get(`/${ref}`, { range: 'bytes=-5' });
    expect((await end.arrayBuffer()).byteLength).toBe(5);
    expect((await get(`/${ref}`, { range: 'bytes=100-' })).status).toBe(416);
    expect((await get('/media/2026/06/01/other.mp4')).status).toBe(404);
  });

  test('nothing else below or beside it can be named, not even by a link', async () => {
    const { get, data } = await served();
    put(data);
    symlinkSync(join(data, 'quanwei.db'), join(data, 'media/2026/06/01/link.jpg'));
    for (const path of [
      '/media/2026/06/01/link.jpg',
      '/media/../quanwei.db',
      '/media/2026/06/01/..%2f..%2f..%2f..%2fquanwei.db',
      '/media/2026/06/01/',
      '/media/2026/06/01/a.html',
      '/quanwei.db',
    ]) {
      expect((await get(path)).status, path).toBe(404);
    }
  });
});

test('a live view begins with its codec and a picture a decoder can begin with; the program runs only while somebody looks', async () => {
  const { address, live } = await served();
  const client = socket(address);
  const texts: string[] = [];
  const parts: Buffer[] = [];
  client.on('message', (data, binary) => {
    if (binary) parts.push(data as Buffer);
    else texts.push(String(data));
  });
  while (parts.length < 6) await once(client, 'message');
  expect(JSON.parse(texts[0] ?? '')).toEqual({ codec: expect.stringMatching(/^avc1\.42[0-9A-F]{4}$/) });

  // One who joins later shares the program and sees something at once; both can be played from their first byte.
  const second = socket(address);
  const late: Buffer[] = [];
  second.on('message', (data, binary) => binary && late.push(data as Buffer));
  while (late.length < 4) await once(second, 'message');
  expect(live.viewers).toBe(2);
  for (const received of [parts, late]) {
    const file = join(dataDir(), 'seen.mp4');
    writeFileSync(file, Buffer.concat(received));
    const said = execFileSync(
      'ffprobe',
      ['-v', 'error', '-count_frames', '-show_entries', 'stream=codec_name,width,nb_read_frames', '-of', 'json', file],
      { encoding: 'utf8' },
    );
    const [stream] = (JSON.parse(said) as { streams: { codec_name: string; width: number; nb_read_frames: string }[] })
      .streams;
    expect(stream).toMatchObject({ codec_name: 'h264', width: 320 });
    expect(Number(stream?.nb_read_frames)).toBeGreaterThan(5);
  }
  client.close();
  second.close();
  await once(second, 'close');
  await expect.poll(() => live.viewers).toBe(0);
}, 20_000);

test('who reads too slowly is let go, and the others see on', async () => {
  const { live } = await served();
  const seen = { fast: 0, slow: 'nothing' };
  const looking = (data: Viewer['data'], end: Viewer['end'] = () => undefined): Viewer => ({
    begin: () => undefined,
    data,
    end,
  });
  live.join(
    looking(
      () => false,
      (why) => {
        seen.slow = why;
      },
    ),
  );
  live.join(
    looking(() => {
      seen.fast += 1;
      return true;
    }),
  );
  await expect.poll(() => seen.fast, { timeout: 10_000 }).toBeGreaterThan(3);
  expect(seen.slow).toBe('too slow');
  expect(live.viewers).toBe(1);
});

test('a camera that cannot be opened ends the view with the reason', async () => {
  const live = new LiveStream(
    liveFeed(() => Promise.resolve('/no/such/film.mp4'), 'tcp', { clock }),
    clock,
  );
  const why = await new Promise<string>((end) => {
    live.join({ begin: () => undefined, data: () => true, end });
  });
  expect(why).toBe('there is no such file');
});

test('a stream of noise is no MP4 and is refused, however it comes', () => {
  const reader = new Mp4Reader({ init: () => undefined, fragment: () => undefined });
  expect(() => reader.write(Buffer.alloc(64, 0xff))).toThrow();
  const text = readFileSync(film);
  // Not fragmented: no fragment ever comes of it, and nothing is kept for ever.
  const whole = new Mp4Reader({
    init: (bytes) => expect(codecOf(bytes)).toMatch(/^avc1/),
    fragment: () => expect.fail(),
  });
  for (let at = 0; at < text.length; at += 1_000) whole.write(text.subarray(at, at + 1_000));
});

test('a door’s picture is handed on with who took it and when; too large a one is not', async () => {
  const got: DoorPicture[] = [];
  const { address } = await served({ doorPicture: (picture) => got.push(picture) });
  const post = (query: string, body: Buffer) =>
    fetch(`${address}/door-picture?${query}`, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { authorization: `Bearer ${TOKEN}` },
    }).then(
      ({ status }) => status,
      () => 'cut off',
    );
  expect(await post('device=door-1&at=1780000000000', Buffer.from('picture'))).toBe(204);
  expect(got).toEqual([{ device: 'door-1', at: 1_780_000_000_000, jpeg: Buffer.from('picture') }]);
  expect(await post('device=../x&at=1', Buffer.from('picture'))).toBe(400);
  expect([413, 'cut off']).toContain(await post('device=door-1&at=1', Buffer.alloc(5 * 1024 * 1024)));
  expect(got).toHaveLength(1);
});
