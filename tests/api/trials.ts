import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { VisionLink } from '../../src/api/vision-link.ts';
import { GatewayConfig } from '../../src/config/schema.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { createLog } from '../../src/kernel/log.ts';
import { NewestPicture } from '../../src/vision/serve/newest-picture.ts';
import { serve } from '../../src/vision/serve/server.ts';
import { openTrials } from '../../src/vision/trial/open.ts';
import { jpeg } from '../page/vision.ts';
import { dataDir } from '../support/data-dir.ts';
import { clip, fencesOf } from '../support/footage.ts';
import { Box } from './box.ts';

const TOKEN = 'the-token-of-the-test';
const clock = new SystemClock();
/** Of a clip whose event was at half past one by the wall clock of the site. */
export const REF = 'media/2026/06/01/173000000-cam-1-01a20a60-5f98-7bc2-af60-0da1b953da4f-clip.mp4';

export type Shown = Awaited<ReturnType<typeof site>>;

/**
 * A box with one camera, and the vision process's listener behind it that tries with the real child.
 * @param priority that of everybody else: a test waits for it
 * @param others further cameras
 */
export async function site({ film = 'climb-brick-150', away = false, priority = 0, others = [] as string[] } = {}) {
  const data = dataDir();
  const footage = await clip(film);
  mkdirSync(dirname(join(data, REF)), { recursive: true });
  copyFileSync(footage.file, join(data, REF));
  const one = { name: '东墙摄像机', place: '东墙', url: footage.file, fences: fencesOf(footage) };
  const cameras = ['cam-1', ...others].map((id) => ({ id, ...one }));
  const config = GatewayConfig.parse({ site: { id: 'garden', name: '花园', street: 'east' }, cameras });
  const settings = { cameras: config.cameras, vision: config.vision, timezone: 'Asia/Shanghai' };
  const trials = openTrials({ data, clock, newId: idSource(clock), minFree: 0, priority, settings: () => settings });
  const shown = jpeg();
  const picture = new NewestPicture(() => Promise.resolve(shown));
  picture.put({ width: 1, height: 1, data: new Uint8Array(3) }, Date.now());
  const served = await serve({
    ...{ listen: 'http://127.0.0.1:0', token: TOKEN, data, log: createLog('test', 'silent') },
    cameras: () => [{ id: 'cam-1', state: 'online', reason: null, fps: 5, pictureAt: picture.at }],
    picture: (id) => (id === 'cam-1' ? picture : null),
    live: () => null,
    trials: trials.served,
  });
  onTestFinished(async () => {
    await trials.close();
    await served.close();
  });
  if (away) await served.close();
  const vision = { link: new VisionLink({ url: served.address, token: TOKEN }), data };
  const box = await Box.start({ settings: { cameras }, parts: { vision } });
  return { box, data, footage, fences: fencesOf(footage), served: trials.served };
}

/** An alarm of the camera, whose clip the journal knows of. */
export async function alarmed(box: Box): Promise<string> {
  const alarm = await box.say('cam-1', 'intrusion.climb', {}, '东墙摄像机', 'camera');
  const raw = JSON.stringify({
    type: 'evidence',
    camera: 'cam-1',
    evidence: [{ kind: 'clip', ref: REF, sha256: '0'.repeat(64) }],
  });
  await box.journal.append([
    { kind: 'message', actor: 'device:cam-1', subject: 'cam-1', body: { message: 'evidence', raw } },
  ]);
  return alarm.id;
}

/** All processes that descend from this one: command lines, and how nice they are. */
export function descendants(): { line: string; nice: number }[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/stat`));
  const parents = new Map<number, number>();
  const found = new Map<number, { line: string; nice: number }>();
  for (const name of processes) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '');
      parents.set(Number(name), Number(stat.split(' ')[1]));
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      found.set(Number(name), { line, nice: Number(stat.split(' ')[16]) });
    } catch {
      // It ended meanwhile.
    }
  }
  const mine = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === process.pid || mine(parent));
  };
  return [...found].filter(([pid]) => mine(pid)).map(([, one]) => one);
}
