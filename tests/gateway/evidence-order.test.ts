import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { visionToken } from '../../src/main/vision-secret.ts';
import { serve } from '../../src/vision/serve/server.ts';
import { dataDir } from '../support/data-dir.ts';
import { LoadClient } from '../support/mqtt-load.ts';
import { freePort } from '../support/ports.ts';
import { silent } from '../upstream/box.ts';
import { Centre, Reader } from '../upstream/centre.ts';
import { eventually, gatewayOf, openAlarms } from './compound.ts';

const SECRET = 'secret-of-vision';
const ORDER = 'quanwei/v1/longquan/spring-garden/order';
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function keep(dir: string, ref: string, bytes: Buffer): void {
  mkdirSync(dirname(join(dir, ref)), { recursive: true });
  writeFileSync(join(dir, ref), bytes);
}

test('a picture of a camera’s alarm is sent to the centre that orders it with a reason, and to nobody under another name', async () => {
  const centre = await Centre.start();
  const reader = await Reader.connect(centre.port);
  const listen = `http://127.0.0.1:${await freePort()}`;
  const gateway = await gatewayOf({
    cameras: [{ id: 'cam-1', url: '/no/such/film.mp4', place: '东墙' }],
    vision: { secret: SECRET, listen },
    upstream: { url: centre.url, backoff: { min: '50ms', max: '200ms', stable: '10s' } },
  });
  await gateway.start();
  const vision = await LoadClient.connect({
    ...{ port: gateway.ports.mqtt, clientId: 'vision-1', username: 'vision-1', password: SECRET },
  });
  onTestFinished(() => vision.end());

  const picture = randomBytes(200_000);
  const [boxes, plain] = ['media/2026/06/01/a-boxes.jpg', 'media/2026/06/01/a-plain.jpg'];
  keep(gateway.data, boxes, picture);
  const evidence = [boxes, plain].map((ref) => ({ kind: 'picture', ref, sha256: sha256(picture) }));
  const at = () => new Date().toISOString();
  const tell = (more: Record<string, unknown>) =>
    vision.published('quanwei/vision/vision-1/event', JSON.stringify({ v: 1, camera: 'cam-1', time: at(), ...more }));
  await tell({ id: 'e-1', type: 'cross', stage: 'alarm', zone: 'east', score: 0.9, evidence });
  const alarm = await eventually(
    async () => (await openAlarms(gateway)).find(({ category }) => category === 'intrusion.cross'),
    'the alarm',
  );
  const film = 'media/2026/06/01/a-clip.mp4';
  const long = randomBytes(4 * 1024 * 1024 + 1);
  keep(gateway.data, film, long);
  await tell({ id: 'e-2', type: 'evidence', of: 'e-1', evidence: [{ kind: 'clip', ref: film, sha256: sha256(long) }] });
  // Later, of another event of the same camera.
  const beside = 'media/2026/06/01/b-main-boxes.jpg';
  keep(gateway.data, beside, picture);
  const others = [{ kind: 'picture', ref: beside, sha256: sha256(picture) }];
  await tell({ id: 'e-3', type: 'climb', stage: 'warn', zone: 'west', score: 0.9 });
  await tell({ id: 'e-4', type: 'evidence', of: 'e-3', evidence: others });

  let n = 0;
  const order = async (ref: string) => {
    n += 1;
    const id = `o-${n}`;
    const [issuedAt, expiresAt] = [at(), new Date(Date.now() + 60_000).toISOString()];
    const about = { id, type: 'evidence', alarm: alarm.id, ref, reason: '案件 2026-17', by: '李四' };
    await reader.publish(ORDER, JSON.stringify({ ...about, issuedAt, expiresAt }));
    const isReply = ({ topic, event }: (typeof reader.arrivals)[number]) =>
      topic === `${ORDER}/reply` && (event.data['order'] as { id: string }).id === id;
    const { event } = await eventually(() => reader.arrivals.find(isReply), `the reply to ${ref}`);
    const sent = reader.arrivals.find(
      ({ topic, event: { data } }) => topic.endsWith('/evidence') && data['order'] === id,
    );
    return { reply: event.data, sent: sent?.event.data };
  };

  const first = await order(boxes);
  expect(first.reply).toMatchObject({ ok: true, result: { ref: boxes, bytes: 200_000, mediaType: 'image/jpeg' } });
  expect(first.sent).toMatchObject({ alarm: alarm.id, ref: boxes, sha256: sha256(picture) });
  expect(Buffer.from(String(first.sent?.['base64']), 'base64').equals(picture)).toBe(true);
  const [received] = await gateway.entries('order.received');
  expect(received?.body).toMatchObject({ order: { reason: '案件 2026-17', by: '李四', ref: boxes } });

  const refused = async (ref: string, code: string) => {
    const { reply, sent } = await order(ref);
    expect(reply, ref).toMatchObject({ ok: false, code });
    expect(sent, ref).toBeUndefined();
  };
  await refused(film, 'TOO_LARGE');
  await refused(beside, 'NOT_FOUND');
  await refused('media/2026/06/01/of-another-alarm.jpg', 'NOT_FOUND');
  await refused('../keys/vision.secret', 'NOT_FOUND');
  // Not on this box, and the vision process that may have it is away.
  await refused(plain, 'CAMERA_UNAVAILABLE');
  const apart = dataDir();
  const served = await serve({
    ...{ listen, token: visionToken(SECRET), data: apart, log: silent },
    ...{ cameras: () => [], picture: () => null, live: () => null },
  });
  onTestFinished(() => served.close());
  await refused(plain, 'NOT_FOUND');
  keep(apart, plain, picture);
  expect((await order(plain)).sent).toMatchObject({ ref: plain, base64: picture.toString('base64') });
  keep(gateway.data, boxes, randomBytes(200_000));
  await refused(boxes, 'CONFLICT');
}, 60_000);
