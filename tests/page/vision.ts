import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { VisionLink } from '../../src/api/vision-link.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { createLog } from '../../src/kernel/log.ts';
import { liveFeed } from '../../src/vision/serve/feed.ts';
import { LiveStream } from '../../src/vision/serve/live-stream.ts';
import { NewestPicture } from '../../src/vision/serve/newest-picture.ts';
import { serve } from '../../src/vision/serve/server.ts';
import { dataDir } from '../support/data-dir.ts';

const TOKEN = 'the-token-of-the-test';
const clock = new SystemClock();

/** Three seconds of a test picture. @param codec as ffmpeg's `-c:v`; @param into a directory; without, one of the test */
export function film(codec: 'libx264' | 'mpeg4' = 'libx264', into?: string): string {
  const file = join(into ?? dataDir(), 'film.mp4');
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=10', '-t', '3'];
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-nostdin', ...source, '-c:v', codec, '-g', '10', '-pix_fmt', 'yuv420p'],
    ...(codec === 'libx264' ? ['-preset', 'ultrafast'] : []),
    file,
  ]);
  return file;
}

/** A picture as a camera gives it, JPEG. */
export const jpeg = (): Buffer =>
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', 'testsrc=size=640x360', '-frames:v', '1'],
    ...['-f', 'image2', '-c:v', 'mjpeg', 'pipe:1'],
  ]);

/** The vision process's own listener with one camera, `cam-1`, that looks at `address`; whoever asked for it closes it. */
export async function eyes(address: string, data: string, { listen = 'http://127.0.0.1:0', token = TOKEN } = {}) {
  const shown = jpeg();
  const picture = new NewestPicture(() => Promise.resolve(shown));
  const live = new LiveStream(
    liveFeed(() => Promise.resolve(address), 'tcp', { clock }),
    clock,
  );
  const served = await serve({
    listen,
    token,
    data,
    log: createLog('test', 'silent'),
    cameras: () => [{ id: 'cam-1', state: 'online', reason: null, fps: 5, pictureAt: picture.at }],
    picture: (id) => (id === 'cam-1' ? picture : null),
    live: (id) => (id === 'cam-1' ? live : null),
  });
  const close = async () => {
    await live.stop();
    await served.close();
  };
  return { live, picture, address: served.address, close };
}

/** The same for one test, and what a box needs to have it. */
export async function vision(address: string, data = dataDir()) {
  const { live, picture, address: url, close } = await eyes(address, data);
  onTestFinished(close);
  return {
    live,
    picture,
    data,
    settings: { cameras: [{ id: 'cam-1', url: address, name: '东墙摄像机', place: '东墙', fences: [] }] },
    parts: { vision: { link: new VisionLink({ url, token: TOKEN }), data } },
  };
}
