import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, onTestFailed, onTestFinished, test } from 'vitest';
import type { Alarm } from '../../src/alarms/alarm.ts';
import { clip, fencesOf } from '../support/footage.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';
import { canServeRtsp, serveRtsp } from '../support/rtsp.ts';
import { follow, type LiveEntry } from '../support/sse.ts';
import { model } from '../support/vision-material.ts';
import { VisionProcess } from '../support/vision-process.ts';
import { Centre, Reader } from '../upstream/centre.ts';
import { made } from '../vision/capture/clips.ts';
import { eventually, gatewayOf, hubOf, login } from './compound.ts';

interface Evidence {
  readonly kind: string;
  readonly ref: string;
  readonly sha256: string;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const ENCODED = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '50', '-pix_fmt', 'yuv420p'];

/** A climb comes round every 15 s; a busy machine may not see the first ones. */
const CLIMBS_MS = 120_000;

/** What comes on `/api/live` and at the centre's broker, as somebody there sees it. */
async function onlookers(gateway: GatewayProcess, centre: Centre) {
  const page: { wall: number; alarm: Alarm }[] = [];
  const live = await follow(gateway, (entry) => {
    const { kind, wall, body } = entry as LiveEntry & { wall: number; body: { alarm: Alarm } };
    if (kind === 'alarm.raised') page.push({ wall, alarm: body.alarm });
  });
  onTestFinished(() => live.end());
  const reader = await Reader.connect(centre.port);
  const raised = (device: string, category: string) => ({
    onPage: () => page.find(({ alarm }) => alarm.device === device && alarm.category === category),
    atCentre: () =>
      reader.arrivals
        .map(({ event }) => ({ event, alarm: event.data['alarm'] as Alarm | undefined }))
        .find(
          ({ event: { type }, alarm }) =>
            type === 'cn.quanwei.alarm.raised.v1' && alarm?.device === device && alarm.category === category,
        ),
  });
  return { raised, page };
}

test.skipIf(!canServeRtsp())(
  'somebody climbs a wall before a real RTSP camera: an alarm of level 2 on the page and at the centre, its picture, then its clip; vision killed or stopped leaves the fire path as it was; a dead stream is told',
  async () => {
    await Promise.all(['nanodet', 'movenet-lightning'].map(model));
    const footage = await clip('climb-brick-150');
    const large = made('climb-brick-150-720.mp4', '-i', footage.file, '-vf', 'scale=1280:720', ...ENCODED);
    const access = { user: 'viewer', password: 'p@ss word' };
    const camera = await serveRtsp({ file: large, path: '/main', also: { '/sub': footage.file }, ...access });
    const centre = await Centre.start();
    const gateway = await gatewayOf({
      devices: hubOf(1),
      cameras: [
        { id: 'cam-wall', place: '围墙/东', url: camera.url, subUrl: camera.urlOf('/sub'), fences: fencesOf(footage) },
      ],
      vision: { listen: `http://127.0.0.1:${await freePort()}`, clip: { before: '2s', after: '3s' } },
      upstream: { url: centre.url },
    });
    await gateway.start();
    const { raised, page } = await onlookers(gateway, centre);
    const vision = new VisionProcess(gateway);
    onTestFailed(() => console.log(vision.output));
    await vision.start();

    const crossing = raised('cam-wall', 'intrusion.cross');
    const { alarm } = await eventually(crossing.onPage, 'an alarm of the climb on /api/live', CLIMBS_MS);
    expect(alarm).toMatchObject({ device: 'cam-wall', level: 2, place: '围墙/东', detail: { zone: 'wall' } });
    expect(raised('cam-wall', 'intrusion.climb').onPage()).toBeDefined();
    const { event, alarm: told } = await eventually(crossing.atCentre, 'the same at the centre');
    expect(event).toMatchObject({ specversion: '1.0', severitytext: 'ERROR', subject: alarm.id });
    expect(told).toMatchObject({ id: alarm.id, level: 2, evidence: alarm.evidence });

    // From the frame it was found in to the journal.
    const delays = page.flatMap(({ wall, alarm: { category, deviceTime } }) =>
      category.startsWith('intrusion.') && deviceTime !== null ? [wall - deviceTime] : [],
    );
    console.log('ms from frame to alarm:', delays.map(Math.round).join(', '));
    expect(Math.max(...delays)).toBeLessThan(5_000);

    const { base, cookie } = await gateway.signIn();
    const pictures = (told?.evidence ?? []) as readonly Evidence[];
    expect(pictures.map(({ kind }) => kind)).toEqual(['picture', 'picture']);
    const fetched = async ({ ref, sha256: told }: Evidence) => {
      const answer = await fetch(`${base}/api/${ref}`, { headers: { cookie } });
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect(sha256(bytes), ref).toBe(told);
      return await sharp(bytes).metadata();
    };
    for (const one of pictures) expect(await fetched(one)).toMatchObject({ format: 'jpeg', width: 640, height: 360 });
    type Later = Record<'pictures' | 'clips', Evidence[]>;
    const later = async () => (await gateway.api(`/api/alarms/${alarm.id}`)) as Later;
    const sharper = await eventually(
      async () => (await later()).pictures.at(0),
      'a picture of the main stream',
      40_000,
    );
    expect(await fetched(sharper)).toMatchObject({ format: 'jpeg', width: 1280, height: 720 });
    const film = await eventually(async () => (await later()).clips.at(0), 'its clip', 40_000);
    expect(sha256(readFileSync(join(gateway.data, film.ref)))).toBe(film.sha256);

    // Stopped in the middle of its work, then killed: a button is none the slower for it.
    const button = await login(gateway, 'hub-1');
    vision.signal('SIGSTOP');
    const press = async (n: number): Promise<number> => {
      const begun = performance.now();
      await button.published('zigbee2mqtt/sos-0', JSON.stringify({ action: 'emergency', linkquality: n }));
      return performance.now() - begun;
    };
    expect(await press(1)).toBeLessThan(2_000);
    await vision.end('SIGKILL');
    expect(await press(2)).toBeLessThan(2_000);
    await vision.start();
    const back = Date.now();
    const seen = async () => {
      const { cameras } = (await gateway.api('/api/cameras')) as { cameras: { pictureAt: number | null }[] };
      return (cameras[0]?.pictureAt ?? 0) > back;
    };
    await eventually(seen, 'the camera is watched again', 60_000);

    await camera.kill();
    const dead = raised('cam-wall', 'device.offline');
    await eventually(dead.onPage, 'a camera that is gone, on /api/live', 60_000);
    await eventually(dead.atCentre, 'and at the centre');
  },
  400_000,
);
