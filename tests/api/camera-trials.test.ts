import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Trial } from '../../src/page/views/video/types.ts';
import { canCompose } from '../support/footage.ts';
import { model } from '../support/vision-material.ts';
import type { Person } from './box.ts';
import { alarmed, descendants, REF, type Shown, site } from './trials.ts';

const AT = '/api/cameras/cam-1';
const PIECE = { 'content-type': 'application/octet-stream' };
const possible = await canCompose();

beforeAll(async () => {
  for (const id of ['nanodet', 'movenet-lightning']) await model(id);
}, 600_000);

const settingsOf = ({ box }: Shown) => box.cameras.get('cam-1').settings;
const begin = (person: Person, settings: object, footage: object, begins: number | null = null) =>
  person.post<Trial>(`${AT}/trials`, { settings, footage, begins });
async function outcome(person: Person, settings: object, footage: object, begins: number | null = null) {
  const { status, body } = await begin(person, settings, footage, begins);
  expect({ status, body }).toMatchObject({ status: 200 });
  const view = async () => (await person.get<Trial>(`${AT}/trials/${body.id}`)).body;
  await expect.poll(async () => (await view()).state, { timeout: 110_000 }).not.toBe('running');
  return view();
}
async function send(person: Person, bytes: Uint8Array, size: number, total = bytes.length) {
  let upload: string | undefined;
  let status = 0;
  for (let offset = 0; offset < bytes.length; offset += size) {
    const url = `${AT}/footage?offset=${offset}&total=${total}${upload === undefined ? '' : `&upload=${upload}`}`;
    const answer = await fetch(person.base + url, {
      method: 'POST',
      headers: { cookie: person.cookie, ...PIECE },
      body: new Uint8Array(bytes.subarray(offset, offset + size)),
    });
    status = answer.status;
    if (status !== 200) break;
    upload = ((await answer.json()) as { upload: string }).upload;
  }
  return { upload, status };
}
const corner = (y: number) => [
  [0.9, y],
  [1, y],
];
const climbs = ({ events }: Trial) => events.map(({ type }) => type);

describe.runIf(possible)('settings tried on footage', { timeout: 240_000 }, () => {
  test('on the clip of an earlier alarm: what would be raised, where and when; nothing of it reaches the ledger', async () => {
    const shown = await site({ others: ['cam-2'] });
    const { box, footage } = shown;
    const alarm = await alarmed(box);
    const manager = await box.person('manager');
    const { body } = await manager.get<{ clips: { ref: string; begins: number; alarm: { id: string } }[] }>(
      `${AT}/footage`,
    );
    expect(body.clips).toMatchObject([
      { ref: REF, begins: Date.UTC(2026, 5, 1, 17, 29, 55), alarm: { id: alarm, category: 'intrusion.climb' } },
    ]);
    const before = box.journal.head();
    const done = await outcome(manager, settingsOf(shown), { clip: REF });
    expect(done).toMatchObject({ state: 'done', problem: null, cut: false, more: 0 });
    expect(climbs(done)).toEqual(['climb', 'cross']);
    const climb = footage.truth.climb;
    expect(done.events[0]?.t).toBeGreaterThan(climb?.leaves ?? Number.NaN);
    expect(done.events[1]?.t).toBeLessThanOrEqual(climb?.straddles ?? Number.NaN);
    expect(done.t).toBeCloseTo(footage.truth.seconds, 0);
    const [left = 9, top = 9, right = -1, bottom = -1] = done.events[1]?.box ?? [];
    expect([left < right, top < bottom]).toEqual([true, true]);
    expect(done.sightings?.length).toBeGreaterThan(10);
    const picture = await fetch(`${box.base}${AT}/trials/${done.id}/pictures/1`, {
      headers: { cookie: manager.cookie },
    });
    expect([...new Uint8Array(await picture.arrayBuffer()).subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
    expect((await manager.get(`${AT}/trials/${done.id}/pictures/7`)).status).toBe(404);
    const elsewhere = `/api/cameras/cam-2/trials/${done.id}`;
    expect((await manager.get(elsewhere)).status).toBe(404);
    expect((await manager.get(`${elsewhere}/pictures/1`)).status).toBe(404);
    expect((await manager.ask('DELETE', elsewhere)).status).toBe(404);
    // That somebody looked at the clip is on the record, and nothing else.
    await expect
      .poll(() => box.journal.read({ after: before, limit: 50 }).map(({ kind, subject }) => [kind, subject]))
      .toEqual([['media.viewed', REF]]);
  });

  test('on footage that is sent in pieces; what is no video is said to be none', async () => {
    const shown = await site();
    const manager = await shown.box.person('manager');
    const { upload } = await send(manager, readFileSync(shown.footage.file), 600_000);
    // A fence drawn elsewhere: nobody climbs it, and it is said that somebody was there.
    const far = { id: 'far', top: corner(0.02), base: corner(0.05) };
    const done = await outcome(manager, { ...settingsOf(shown), fps: 2, fences: [far] }, { upload });
    expect([done.state, done.events, done.people > 0, done.looked > 5]).toEqual(['done', [], true, true]);
    const list = `#EXTM3U\n#EXTINF:10,\nfile://${shown.footage.file}\n#EXT-X-ENDLIST\n`;
    for (const nonsense of ['this is a letter', list]) {
      const sent = await send(manager, Buffer.from(nonsense), 600_000);
      expect(await outcome(manager, settingsOf(shown), { upload: sent.upload })).toMatchObject({
        state: 'failed',
        problem: { code: expect.stringMatching(/BAD_PICTURE/) },
        events: [],
      });
    }
  });

  test('one at a time, below everybody else; being cancelled leaves no process behind', async () => {
    const shown = await site({ priority: 15 });
    const manager = await shown.box.person('manager');
    const { body } = await begin(manager, settingsOf(shown), { clip: REF });
    const working = () => descendants().filter(({ line }) => /trial-child|infer-child|ffmpeg/.test(line));
    await expect.poll(() => working().some(({ line }) => line.includes('infer-child')), { timeout: 30_000 }).toBe(true);
    expect(Math.min(...working().map(({ nice }) => nice))).toBe(15);
    const second = await begin(manager, settingsOf(shown), { clip: REF });
    expect(second).toMatchObject({ status: 429, body: { error: { code: 'TOO_MANY' } } });
    const ended = await manager.ask<Trial>('DELETE', `${AT}/trials/${body.id}`);
    expect(ended.body).toMatchObject({ id: body.id, state: 'cancelled' });
    await expect.poll(working).toEqual([]);
  });
});

test('footage that is empty, too large, out of order or nobody’s is refused; so is a fence that cannot be one', async () => {
  const shown = await site();
  const { box } = shown;
  const manager = await box.person('manager');
  const url = (search: string) => `${AT}/footage?${search}`;
  const post = (search: string, body: string) => manager.ask('POST', url(search), body, PIECE);
  expect((await post('offset=0&total=0', 'x')).status).toBe(400);
  expect((await post('offset=0&total=10', '')).status).toBe(400);
  expect((await post(`offset=0&total=200000001`, 'x')).status).toBe(400);
  expect((await post('offset=5&total=10', 'x')).status).toBe(400);
  expect((await post('offset=0&total=3', 'abcdef')).status).toBe(400);
  expect((await send(manager, new Uint8Array(3 * 1024 * 1024), 3 * 1024 * 1024)).status).toBe(400);
  const half = await send(manager, new Uint8Array(10), 10, 20);
  expect((await begin(manager, {}, { upload: half.upload })).status).toBe(400);
  expect((await begin(manager, {}, { upload: box.newId() })).status).toBe(404);
  expect((await begin(manager, {}, { clip: 'media/2026/06/01/none.mp4' })).status).toBe(404);
  expect((await begin(manager, {}, { clip: '../../etc/passwd' })).status).toBe(400);
  const wrong = [{ ...shown.fences[0], top: shown.fences[0]?.base, base: shown.fences[0]?.top }];
  expect(await begin(manager, { fences: wrong }, { clip: REF })).toMatchObject({ status: 400 });
  expect(
    (await manager.post('/api/cameras/nobody/trials', { settings: {}, footage: { clip: REF }, begins: null })).status,
  ).toBe(404);
  expect((await manager.get(`${AT}/trials/${box.newId()}`)).status).toBe(404);
  expect((await (await box.person('operator')).get(`${AT}/footage`)).status).toBe(403);
});

test('a vision process that is away is said to be', async () => {
  const { box } = await site({ away: true });
  const manager = await box.person('manager');
  expect(await begin(manager, {}, { clip: REF })).toMatchObject({
    status: 503,
    body: { error: { code: 'CAMERA_UNAVAILABLE' } },
  });
});
