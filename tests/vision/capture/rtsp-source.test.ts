import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SystemClock } from '../../../src/kernel/clock.ts';
import { RtspSource, type RtspSourceOptions } from '../../../src/vision/capture/rtsp-source.ts';
import { type Frame, lasting, type SourceState } from '../../../src/vision/capture/source.ts';
import { canServeRtsp, serveRtsp } from '../../support/rtsp.ts';
import { busy, made, numbered, numberOf } from './clips.ts';

const soon = { wait: { min: 50, max: 200 }, refused: { min: 60_000, max: 60_000 } };

class Watching {
  readonly states: SourceState[] = [];
  readonly frames: Frame[] = [];
  readonly source: RtspSource;
  #heard: (() => void)[] = [];

  constructor(url: string, more: Partial<RtspSourceOptions> = {}, after = onTestFinished) {
    this.source = new RtspSource({
      ...{ address: async () => url, transport: 'tcp', fps: 5, width: 640, input: { width: 416, height: 256 } },
      ...{ clock: new SystemClock(), log: pino({ level: 'silent' }), random: Math.random, limits: soon },
      ...more,
    });
    const note =
      <T>(list: T[]) =>
      (item: T) => {
        list.push(item);
        for (const wake of this.#heard.splice(0)) wake();
      };
    const seen = note(this.frames);
    this.source.start({ frame: (frame) => seen(lasting(frame)), state: note(this.states) });
    after(() => this.source.stop());
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#heard.push(resolve));
  }

  offline(): string[] {
    return this.states.flatMap((state) => (state.state === 'offline' ? [state.reason] : []));
  }
}

/** Command lines of this process’s living children that are ffmpeg or ffprobe. */
const running = (mark: string): string[] =>
  readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return /^ff(mpeg|probe)\0/.test(line) && line.includes(mark) ? [line] : [];
    } catch {
      return []; // gone meanwhile
    }
  });

describe.runIf(canServeRtsp())('a camera', () => {
  test.each([
    ['H.264 over TCP', 'tcp', 'h264'],
    ['H.265 over UDP', 'udp', 'hevc'],
  ] as const)(
    '%s: five frames a second, all planes of one moment, no password to be read in the process list',
    async (_, transport, codec) => {
      const server = await serveRtsp({ file: numbered('640x360', 4, codec), user: 'admin', password: 'p@ss/w:rd' });
      const watching = new Watching(server.url, { transport });
      await watching.until(() => watching.frames.length >= 8);
      expect(watching.states).toEqual([{ state: 'online', width: 640, height: 360, fps: 5, codec }]);
      for (const { picture, input, grey } of watching.frames) {
        const numbers = [numberOf(picture.data), numberOf(input.data, 3 * (128 * 416 + 208)), numberOf(grey.data)];
        expect(new Set(numbers).size).toBe(1);
      }
      const times = watching.frames.slice(2).map(({ mono }) => mono);
      const mean = ((times.at(-1) as number) - (times[0] as number)) / (times.length - 1);
      expect(mean).toBeGreaterThan(150);
      expect(mean).toBeLessThan(260);
      const numbers = watching.frames.slice(2).map(({ grey }) => numberOf(grey.data));
      for (const [n, number] of numbers.entries()) {
        if (n > 0) expect((number - (numbers[n - 1] as number) + 100) % 100).toBe(5);
      }
      expect(running('640:360').length).toBeGreaterThan(0);
      expect(running('').join('\n')).not.toMatch(/p@ss|p%40ss/);
      await watching.source.stop();
      expect(watching.offline()).toEqual([]);
    },
  );

  // From here on beside each other: most of their time is spent waiting for a camera's.
  test.concurrent('killed and started again, again and again: always back by itself, and nothing is left running', async ({
    onTestFinished: after,
  }) => {
    const times = Number(process.env['QUANWEI_RESTARTS'] ?? 2);
    const width = 638; // a mark of this test's own processes
    let server = await serveRtsp({ file: busy('640x360', 1) }, after);
    const watching = new Watching(server.url, { width }, after);
    for (let n = 1; n <= times; n += 1) {
      await watching.until(() => watching.states.filter(({ state }) => state === 'online').length === n);
      await server.kill();
      await watching.until(() => watching.states.at(-1)?.state === 'offline');
      expect(running('scale=638').length).toBeLessThanOrEqual(1);
      server = await serveRtsp({ file: busy('640x360', 1), port: server.port }, after);
    }
    const before = watching.frames.length;
    await watching.until(() => watching.frames.length > before + 1);
    expect(watching.frames.at(-1)?.n).toBeLessThan(before);
    await watching.source.stop();
    expect(running('scale=638')).toEqual([]);
  }, 120_000);

  test.concurrent('a wrong password is said so and not tried again at once', async ({ onTestFinished: after }) => {
    const server = await serveRtsp({ file: busy('640x360', 1), user: 'admin', password: 'right', digest: true }, after);
    const watching = new Watching(server.urlOf('/main', 'admin:wrong@'), {}, after);
    await watching.until(() => watching.states.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(watching.states).toEqual([{ state: 'offline', reason: 'wrong user name or password' }]);
  });

  test.concurrent('a camera that hangs is given up by the watchdog, ffmpeg with it', async ({
    onTestFinished: after,
  }) => {
    const server = await serveRtsp({ file: busy('640x360', 1) }, after);
    const watching = new Watching(server.url, { limits: { ...soon, age: 1_500 } }, after);
    await watching.until(() => watching.frames.length > 2);
    server.freeze();
    await watching.until(() => watching.offline().length > 0);
    expect(watching.offline()[0]).toBe('no picture for 2 s');
  });

  test.concurrent('damaged H.264 does not stop the frames for good', async ({ onTestFinished: after }) => {
    const damaged = made('damaged.mp4', '-i', busy('640x360', 4), '-c', 'copy', '-bsf:v', 'noise=amount=400');
    const server = await serveRtsp({ file: damaged }, after);
    const watching = new Watching(server.url, {}, after);
    await watching.until(() => watching.frames.length >= 8);
    expect(watching.frames.every(({ picture }) => picture.data.length === 640 * 360 * 3)).toBe(true);
  });

  test.concurrent('pictures that change their size tear nothing: the shape is looked at again', async ({
    onTestFinished: after,
  }) => {
    const parts = [busy('640x360', 2), busy('480x480', 2)].map((file) => made('part.ts', '-i', file, '-c', 'copy'));
    const changing = made('changing.ts', '-i', `concat:${parts.join('|')}`, '-c', 'copy');
    const server = await serveRtsp({ file: changing, seconds: 0 }, after);
    const watching = new Watching(server.url, {}, after);
    await watching.until(() => watching.offline().length > 0);
    expect(watching.offline()[0]).toBe('the size of the picture changed');
    const sizes = new Set(watching.frames.map(({ picture }) => `${picture.width}x${picture.height}`));
    expect([...sizes]).toEqual(['640x360']);
  });
});

/** A server on loopback that answers whatever comes in its own way. */
async function listen(answer: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    answer(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/main`;
}

test.each([
  ['sends noise', (socket: Socket) => void socket.end(randomBytes(300_000))],
  ['closes at once', (socket: Socket) => void socket.end()],
  [
    'answers 401 for ever',
    (socket: Socket) =>
      void socket.on('data', (data) => {
        const sequence = /CSeq: (\d+)/.exec(data.toString())?.[1] ?? '1';
        socket.write(`RTSP/1.0 401 Unauthorized\r\nCSeq: ${sequence}\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n`);
      }),
  ],
])(
  'something that %s instead of a stream is offline with a reason, and tried again after a wait',
  async (_, answer) => {
    const watching = new Watching((await listen(answer)).replace('rtsp://', 'rtsp://u:topsecret@'));
    await watching.until(() => watching.offline().length > 0);
    expect(watching.offline()[0]).toMatch(/\w{3}/);
    expect(watching.offline().join()).not.toMatch(/topsecret/);
    expect(watching.frames).toEqual([]);
  },
);

test('nobody there is offline; a program that is not installed is said so', async () => {
  const refused = new Watching('rtsp://127.0.0.1:1/main');
  await refused.until(() => refused.offline().length > 1);
  expect(refused.offline()[0]).toBe('connection refused');
  const missing = new Watching('rtsp://127.0.0.1:1/main', {
    spawn: (_, args, options) => spawn('no-such-program', args, options),
  });
  await missing.until(() => missing.offline().length > 0);
  expect(missing.offline()[0]).toBe('ffmpeg is not installed');
});

describe.runIf(canServeRtsp())('when this process is killed', () => {
  test('its ffmpeg ends by itself', async () => {
    const server = await serveRtsp({ file: busy('640x360', 1) });
    const watcher = fileURLToPath(new URL('./fixtures/watcher.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', watcher, server.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(running('scale=636')).toHaveLength(1);
    child.kill('SIGKILL');
    for (let tries = 0; tries < 100 && running('scale=636').length > 0; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(running('scale=636')).toEqual([]);
  });
});
