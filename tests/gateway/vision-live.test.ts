import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLIMBS } from '../../src/simulator/footage/clips.ts';
import { compose } from '../../src/simulator/footage/footage.ts';
import { freePort } from '../support/ports.ts';
import { canServeRtsp, serveRtsp } from '../support/rtsp.ts';
import { VisionProcess } from '../support/vision-process.ts';
import { eventually, gatewayOf, hubOf, login, openAlarms } from './compound.ts';

interface Evidence {
  readonly kind: string;
  readonly ref: string;
  readonly sha256: string;
}

const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

test.skipIf(!canServeRtsp())(
  'somebody climbs a wall before a real RTSP camera: an alarm of level 2 with its picture, then its clip; vision killed or stopped leaves the fire path as it was',
  async () => {
    const script = CLIMBS.find(({ name }) => name === 'climb-brick-150');
    if (script === undefined) throw new Error('there is no such clip');
    const { file, truth } = await compose(script);
    const camera = await serveRtsp({ file, user: 'viewer', password: 'p@ss word' });
    const gateway = await gatewayOf({
      devices: hubOf(1),
      cameras: [{ id: 'cam-wall', place: '围墙/东', url: camera.url, fences: [{ id: 'east', ...truth.fence }] }],
      vision: { listen: `http://127.0.0.1:${await freePort()}`, clip: { before: '2s', after: '3s' } },
    });
    await gateway.start();
    const vision = new VisionProcess(gateway);
    await vision.start();
    const alarm = await eventually(
      async () => (await openAlarms(gateway)).find(({ category }) => category === 'intrusion.cross'),
      'an alarm of the climb',
      60_000,
    );
    expect(alarm).toMatchObject({ device: 'cam-wall', level: 2, place: '围墙/东', detail: { zone: 'east' } });
    const kinds = (await openAlarms(gateway)).map(({ category }) => category);
    expect(kinds).toContain('intrusion.climb');

    // From the frame it was found in to the journal.
    const raised = await gateway.entries('alarm.raised');
    const delays = raised.flatMap(({ wall, deviceTime, body }) =>
      (body['alarm'] as { category: string }).category.startsWith('intrusion.') && deviceTime !== null
        ? [wall - deviceTime]
        : [],
    );
    console.log('ms from frame to alarm:', delays.map(Math.round).join(', '));
    expect(Math.max(...delays)).toBeLessThan(5_000);

    for (const { kind, ref, sha256 } of alarm.evidence as readonly Evidence[]) {
      expect(kind).toBe('picture');
      expect(digest(join(gateway.data, ref))).toBe(sha256);
    }
    expect(alarm.evidence.length).toBeGreaterThan(0);
    const clip = await eventually(
      async () => (await gateway.entries('message')).find(({ body }) => body['message'] === 'evidence'),
      'its clip',
      20_000,
    );
    const told = JSON.parse(String(clip.body['raw'])) as { of: string; evidence: Evidence[] };
    const [film] = told.evidence;
    expect(film?.kind).toBe('clip');
    expect(digest(join(gateway.data, film?.ref ?? ''))).toBe(film?.sha256);
    const whole = (await gateway.api(`/api/alarms/${alarm.id}`)) as { clips: Evidence[] };
    expect(whole.clips).toContainEqual(film);

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
    await eventually(() => vision.output.includes('logged in to the gateway'), 'it is back');
  },
  150_000,
);
