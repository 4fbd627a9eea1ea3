import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alarm } from '../../src/alarms/alarm.ts';
import { clip, fencesOf } from '../support/footage.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';
import { canServeRtsp, startRtsp } from '../support/rtsp.ts';
import { follow, type LiveEntry } from '../support/sse.ts';
import { made } from '../vision/capture/clips.ts';
import { ending } from './ending.ts';
import { Eyes, IdleGroup } from './eyes-process.ts';
import { figure, percentile, type Report } from './figure.ts';

const CAMERAS = ['climb-brick-150', 'climb-wire-110'];
/** Somebody is over the wall every fifteen seconds before each camera; a busy machine misses some. */
const PATIENCE_MS = 45_000;
const ENCODED = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '50', '-pix_fmt', 'yuv420p'];

interface Seen {
  readonly category: string;
  /** ms from the arrival of the decoded frame in which the rule held to the entry on `/api/live` */
  readonly took: number;
}

/**
 * From the evidence frame to the alarm: real RTSP cameras with a larger main stream, the gateway and the vision process as
 * they are shipped, and somebody who reads `/api/live`. One machine, one wall clock: the frame's time is in the alarm.
 * @param wanted climbs that are alarmed
 */
export async function eyes(report: Report, wanted: number): Promise<void> {
  if (!canServeRtsp()) {
    console.error('eyes: skipped, there is no GStreamer RTSP server on this machine');
    return;
  }
  const seen = await ending(async (after) => {
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
    after(() => rmSync(dir, { recursive: true, force: true }));
    const cameras: Record<string, unknown>[] = [];
    for (const [n, name] of CAMERAS.entries()) {
      const footage = await clip(name);
      const large = made(`${name}-1080.mp4`, '-i', footage.file, '-vf', 'scale=1920:1080', ...ENCODED);
      const seconds = PATIENCE_MS * wanted * 1e-3;
      const camera = await startRtsp({ file: large, path: '/main', also: { '/sub': footage.file }, seconds });
      after(() => camera.kill());
      const streams = { url: camera.url, subUrl: camera.urlOf('/sub') };
      cameras.push({ id: `cam-${n + 1}`, ...streams, fences: fencesOf(footage) });
    }
    const gateway = await GatewayProcess.prepare(dir, {
      cameras,
      vision: { listen: `http://127.0.0.1:${await freePort()}`, clip: { before: '2s', after: '3s' } },
      // Each climb is an alarm of its own.
      alarms: { window: '1s' },
    });
    after(() => gateway.stop());
    await gateway.start();
    const all: Seen[] = [];
    let last = performance.now();
    const live = await follow(gateway, (entry) => {
      const { kind, body } = entry as LiveEntry & { body: { alarm: Alarm } };
      if (kind !== 'alarm.raised' || !body.alarm.category.startsWith('intrusion.')) return;
      const { category, deviceTime, evidence } = body.alarm;
      if (deviceTime === null) throw new Error('an alarm of a camera without the time of its frame');
      if (evidence.length === 0) throw new Error('an alarm of a camera without a picture');
      all.push({ category, took: Date.now() - deviceTime });
      last = performance.now();
    });
    after(() => live.end());
    const group = IdleGroup.make();
    after(() => group.remove());
    const vision = new Eyes(gateway, cameras.length, group);
    after(() => vision.end());
    await vision.atWork();
    last = performance.now();
    while (all.filter(({ category }) => category === 'intrusion.cross').length < wanted) {
      if (performance.now() - last > PATIENCE_MS) throw new Error(`${all.length} alarms, then none for so long`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return all;
  });
  for (const [category, what] of [
    ['intrusion.climb', 'warning'],
    ['intrusion.cross', 'alarm'],
  ]) {
    const took = seen.filter((one) => one.category === category).map((one) => one.took);
    const name = `evidence frame to ${what} on /api/live, ${took.length} climbs`;
    for (const p of [50, 95]) report(figure(`${name}, p${p}`, percentile(took, p), 'ms'));
  }
}
