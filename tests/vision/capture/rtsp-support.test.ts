import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { canServeRtsp, serveRtsp } from '../../support/rtsp.ts';
import { busy, numbered } from './clips.ts';

const shape = (url: string): string =>
  execFileSync('ffprobe', [
    '-v',
    'error',
    '-rtsp_transport',
    'tcp',
    '-show_entries',
    'stream=codec_name,width',
    '-of',
    'csv=p=0',
    url,
  ])
    .toString()
    .trim();

describe.runIf(canServeRtsp())('the camera that tests use', () => {
  test('serves H.264 and H.265, with and without a password', async () => {
    const open = await serveRtsp({ file: busy('640x360', 1), also: { '/small': numbered('160x120', 2, 'hevc') } });
    expect(shape(open.url)).toBe('h264,640');
    expect(shape(open.urlOf('/small'))).toBe('hevc,160');
    const locked = await serveRtsp({ file: busy('640x360', 1), user: 'admin', password: 'p@ss/w:rd', digest: true });
    expect(shape(locked.url)).toBe('h264,640');
    expect(() => shape(locked.urlOf('/main', 'admin:wrong@'))).toThrow(/401/);
  });
});
