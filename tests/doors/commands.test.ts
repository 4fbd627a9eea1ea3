import { describe, expect, test } from 'vitest';
import type { OpenRequest } from '../../src/doors/commands.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { door, SECRET, told } from '../devices/box.ts';
import { answer, openDoors, until } from './box.ts';

const DOORS = [
  door('1026700', { name: '大门', place: '3栋' }),
  { id: 'lock', profile: 'esphome-lock', secret: SECRET },
  { id: 'hub', profile: 'zigbee2mqtt-hub', secret: SECRET },
  { id: 'sos', profile: 'zigbee-sos-button', hub: 'hub' },
  { id: 'call', profile: 'tasmota-contact', secret: SECRET },
];
const byLi = (more: Partial<OpenRequest> = {}): OpenRequest => ({
  door: '1026700',
  actor: 'user:li',
  reason: '访客',
  source: 'operator',
  ...more,
});

describe('opening a door', () => {
  test('is recorded with who and why before the command leaves, and answered by what the device says', async () => {
    const box = await openDoors({ devices: DOORS });
    const recordedFirst: boolean[] = [];
    box.link.delivered = (id, message) => {
      recordedFirst.push(box.entries('door.command').length === 1);
      answer(box.doors, id, message);
    };
    const result = await box.doors.open(byLi());
    expect(result).toMatchObject({ ok: true, code: 'opened', ms: 0 });
    expect(recordedFirst).toEqual([true]);
    expect(JSON.parse(box.link.sent[0]?.message.payload ?? '')).toMatchObject({
      operator: 'Unlock',
      messageId: result.command,
    });
    expect(box.entries('door.command', 'door.result')).toMatchObject([
      {
        kind: 'door.command',
        actor: 'user:li',
        subject: '1026700',
        lane: 2,
        id: result.command,
        body: { reason: '访客', source: 'operator' },
      },
      {
        kind: 'door.result',
        actor: 'user:li',
        subject: '1026700',
        lane: 2,
        body: { command: result.command, ok: true, code: 'opened' },
      },
    ]);
  });

  test('that the device refuses says so in the device’s own words', async () => {
    const box = await openDoors({ devices: DOORS });
    box.link.delivered = (id, message) => answer(box.doors, id, message, 'fail');
    expect(await box.doors.open(byLi())).toMatchObject({ ok: false, code: 'refused', detail: 'the relay is broken' });
  });

  test('that is not answered in time is a timeout, and the answer that comes late is noted once', async () => {
    const box = await openDoors({ devices: DOORS });
    const opening = box.doors.open(byLi());
    await until(() => box.link.sent.length === 1, 'the command');
    box.clock.advance(60_000);
    expect(await opening).toMatchObject({ ok: false, code: 'timeout' });
    const sent = box.link.sent[0]?.message;
    if (sent === undefined) throw new Error('nothing was sent');
    for (let i = 0; i < 3; i++) answer(box.doors, '1026700', sent);
    await until(() => box.entries('door.result').length >= 2, 'the note');
    await told();
    expect(box.entries('door.result').map(({ actor, body }) => [actor, (body as { code: string }).code])).toEqual([
      ['user:li', 'timeout'],
      ['device:1026700', 'late'],
    ]);
  });

  test('of a door that is away is refused at once: nothing is left in a queue that would open it later', async () => {
    const box = await openDoors({ devices: DOORS });
    box.link.away.add('1026700');
    expect(await box.doors.open(byLi())).toMatchObject({ ok: false, code: 'offline' });
    box.link.away.clear();
    box.link.delivered = (id, message) => answer(box.doors, id, message);
    await box.doors.open(byLi());
    expect(box.link.sent.map(({ message }) => [message.qos, message.retain])).toEqual([[0, false]]);
    expect(box.entries('door.result').map(({ body }) => (body as { code: string }).code)).toEqual([
      'offline',
      'opened',
    ]);
  });

  test('whose connection breaks while the command leaves is offline, not a crash', async () => {
    const box = await openDoors({ devices: DOORS });
    box.link.delivered = () => {
      throw new QuanweiError('DEVICE_OFFLINE', 'gone this instant');
    };
    expect(await box.doors.open(byLi())).toMatchObject({ ok: false, code: 'offline', detail: 'gone this instant' });
  });

  test('on a transport that never comes back is given up after the device’s time', async () => {
    const box = await openDoors({ devices: DOORS });
    box.link.send = () => new Promise(() => undefined);
    const opening = box.doors.open(byLi());
    await until(() => box.entries('door.command').length === 1, 'the entry');
    await told();
    box.clock.advance(60_000);
    expect(await opening).toMatchObject({ ok: false, code: 'timeout' });
  });

  test.each([
    ['without a reason', byLi({ reason: '  ' }), 'BAD_REQUEST'],
    ['that is not there', byLi({ door: 'nowhere' }), 'NOT_FOUND'],
    ['that is a button', byLi({ door: 'sos' }), 'NOT_FOUND'],
  ])('%s is refused before anything is recorded or sent', async (_name, request, code) => {
    const box = await openDoors({ devices: DOORS });
    await expect(box.doors.open(request)).rejects.toMatchObject({ code });
    expect(box.entries('door.command')).toEqual([]);
    expect(box.link.sent).toEqual([]);
  });

  test('taken out of service is refused, and is not in the list', async () => {
    const box = await openDoors();
    await box.registry.register({ id: 'gate', profile: 'esphome-lock' }, 'user:li');
    expect(box.doors.list().map(({ id }) => id)).toEqual(['gate']);
    await box.registry.update('gate', { enabled: false }, 'user:li');
    expect(box.doors.list()).toEqual([]);
    await expect(box.doors.open(byLi({ door: 'gate' }))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('that cannot be recorded is not done', async () => {
    const box = await openDoors({ devices: DOORS });
    box.journal.append = () => Promise.reject(new QuanweiError('STORAGE_FULL', 'the disk is full'));
    await expect(box.doors.open(byLi())).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(box.link.sent).toEqual([]);
  });
});

describe('limits', () => {
  test('one person cannot hold a door open by asking again and again; a minute later it opens again', async () => {
    const box = await openDoors({ devices: DOORS });
    box.link.delivered = (id, message) => answer(box.doors, id, message);
    let opened = 0;
    for (let i = 0; i < 100; i++) {
      try {
        await box.doors.open(byLi());
        opened += 1;
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'TOO_MANY' });
      }
    }
    expect(opened).toBeLessThanOrEqual(30);
    expect(box.entries('door.command')).toHaveLength(opened);
    await expect(box.doors.open(byLi({ door: 'lock' }))).rejects.toMatchObject({ code: 'TOO_MANY' });
    box.clock.advance(60_000);
    expect(await box.doors.open(byLi())).toMatchObject({ ok: true });
  });

  test('of one door are its own, whoever asks', async () => {
    const box = await openDoors({ devices: DOORS });
    box.link.delivered = (id, message) => answer(box.doors, id, message);
    const results = [];
    for (let i = 0; i < 60; i++) {
      results.push(
        box.doors.open(byLi({ actor: `user:${i}` })).then(
          () => 'opened',
          ({ code }) => code as string,
        ),
      );
    }
    const came = await Promise.all(results);
    expect(came.filter((one) => one === 'opened').length).toBeLessThan(60);
    expect(new Set(came)).toEqual(new Set(['opened', 'TOO_MANY']));
  });
});

describe('answers', () => {
  test('find their own command, however they cross', async () => {
    const box = await openDoors({ devices: DOORS });
    const [first, second] = [box.doors.open(byLi({ reason: 'a' })), box.doors.open(byLi({ reason: 'b' }))];
    await until(() => box.link.sent.length === 2, 'both');
    const [one, two] = box.link.sent;
    if (one === undefined || two === undefined) throw new Error('unreachable');
    answer(box.doors, '1026700', two.message, 'fail');
    answer(box.doors, '1026700', one.message, 'ok');
    expect([(await first).code, (await second).code]).toEqual(['opened', 'refused']);
  });

  test('of another device, of nobody’s command, or said twice change nothing', async () => {
    const box = await openDoors({ devices: [...DOORS, door('other')] });
    const opening = box.doors.open(byLi());
    await until(() => box.link.sent.length === 1, 'the command');
    const sent = box.link.sent[0]?.message;
    if (sent === undefined) throw new Error('unreachable');
    const { messageId } = JSON.parse(sent.payload) as { messageId: string };
    box.doors.reply('other', { to: messageId, ok: true, code: '', detail: '' });
    box.doors.reply('1026700', { to: 'made-up', ok: true, code: '', detail: '' });
    answer(box.doors, '1026700', sent, 'fail');
    answer(box.doors, '1026700', sent, 'ok');
    expect(await opening).toMatchObject({ ok: false, code: 'refused' });
    await told();
    expect(box.entries('door.result')).toHaveLength(1);
  });

  test('of a protocol without message ids go to the oldest command of that device', async () => {
    const box = await openDoors({ devices: DOORS });
    const opening = box.doors.open(byLi({ door: 'lock' }));
    await until(() => box.link.sent.length === 1, 'the command');
    box.doors.reply('1026700', { to: '*', ok: true, code: '', detail: '' });
    box.doors.reply('lock', { to: '*', ok: true, code: 'UNLOCKED', detail: '' });
    expect(await opening).toMatchObject({ ok: true, code: 'opened', detail: 'UNLOCKED' });
    box.doors.reply('lock', { to: '*', ok: true, code: 'UNLOCKED', detail: '' });
    await told();
    expect(box.entries('door.result')).toHaveLength(1);
  });
});

test('the list has the doors, whether each is there, and what came of the last command; a spare relay is no door', async () => {
  const box = await openDoors({
    devices: [...DOORS, { id: 'relay', profile: 'tasmota-contact', secret: SECRET, params: { lock: 'yes' } }],
  });
  box.link.delivered = (id, message) => answer(box.doors, id, message);
  box.link.away.add('lock');
  await box.doors.open(byLi());
  expect(box.doors.list()).toMatchObject([
    {
      id: '1026700',
      name: '大门',
      place: '3栋',
      connected: true,
      last: { ok: true, actor: 'user:li', at: box.clock.wall() },
    },
    { id: 'lock', connected: false, last: null },
    { id: 'relay', connected: true, last: null },
  ]);
});
