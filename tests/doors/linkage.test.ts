import { describe, expect, test } from 'vitest';
import type { Category, DeviceEvent } from '../../src/devices/event.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { event as eventOf } from '../alarms/site.ts';
import { door, SECRET, told } from '../devices/box.ts';
import { newStart } from '../journal/support.ts';
import { answer, type Compound, openDoors, until } from './box.ts';

const DOORS = ['gate-1', 'gate-2', 'gate-3'];
const OPTIONS = {
  devices: [...DOORS.map((id) => door(id)), { id: 'call', profile: 'tasmota-contact', secret: SECRET }],
  alarms: { fireReleases: DOORS },
};

const event = (category: Category, more: Partial<DeviceEvent> = {}) => eventOf('call', category, more);
const ABOUT = { name: '5栋手报', place: '5栋', channel: 'device', cause: '' };
const raise = (box: Compound, category: Category = 'fire.button', more: Partial<DeviceEvent> = {}) =>
  box.board.transact((tx) => tx.event(event(category, more), ABOUT));
const byLi = { actor: 'user:li', role: 'operator' };
const answering = (box: Compound): void => {
  box.link.delivered = (id, message) => answer(box.doors, id, message);
};
const sentTo = (box: Compound): string[] => box.link.sent.map(({ device }) => device).sort();

describe('a fire', () => {
  test('opens every door that is named, at once, each recorded with the alarm as its reason', async () => {
    const box = await openDoors(OPTIONS);
    answering(box);
    box.linkage.start();
    const began = performance.now();
    const alarm = await raise(box);
    await until(() => box.link.sent.length === 3, 'three doors');
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(sentTo(box)).toEqual(DOORS);
    await until(() => box.entries('door.result').length === 3, 'three results');
    for (const entry of box.entries('door.command')) {
      expect(entry).toMatchObject({
        actor: 'system',
        body: { source: 'linkage', alarm: alarm?.id, reason: expect.stringMatching(/5栋手报/) },
      });
    }
    expect(box.entries('door.result').every(({ body }) => (body as { ok: boolean }).ok)).toBe(true);
  });

  test.each([
    ['a drill', 'fire.button', { test: true }],
    ['a fire told late', 'fire.smoke', { replayed: true, deviceTime: 1 }],
    ['a call for help', 'sos', {}],
    ['somebody on the wall', 'intrusion.climb', {}],
  ] as const)('%s opens nothing', async (_name, category, more) => {
    const box = await openDoors(OPTIONS);
    box.linkage.start();
    await raise(box, category, more);
    await box.pass(5_000);
    expect(box.link.sent).toEqual([]);
    expect(box.entries('door.command', 'door.result')).toEqual([]);
  });

  test('that rules put on a lower level opens nothing, and opens when a person puts it on level 1', async () => {
    const rule = { name: 'kitchen', when: { category: 'fire.smoke' }, level: 2 };
    const box = await openDoors({ ...OPTIONS, alarms: { ...OPTIONS.alarms, rules: [rule] } });
    answering(box);
    box.linkage.start();
    const alarm = await raise(box, 'fire.smoke');
    await box.pass(2_000);
    expect(box.link.sent).toEqual([]);
    await box.board.transact((tx) =>
      tx.act({ type: 'regrade', alarm: alarm?.id ?? '', level: 1, reason: '确有明火' }, byLi),
    );
    await until(() => box.link.sent.length === 3, 'three doors');
  });

  test('reported a hundred times opens the doors once; coming again after people saw to it, once more', async () => {
    const box = await openDoors(OPTIONS);
    answering(box);
    box.linkage.start();
    const alarm = await raise(box);
    for (let i = 0; i < 100; i++) await raise(box);
    await box.pass(2_000);
    expect(box.link.sent).toHaveLength(3);
    await box.board.transact((tx) => tx.act({ type: 'acknowledge', alarm: alarm?.id ?? '' }, byLi));
    await raise(box);
    await until(() => box.link.sent.length === 6, 'the doors again');
  });

  test('is held up neither by the limit of a door nor by people who use it up', async () => {
    const box = await openDoors(OPTIONS);
    answering(box);
    box.linkage.start();
    for (let i = 0; i < 100; i++) {
      await box.doors
        .open({ door: 'gate-1', actor: `user:${i}`, reason: 'x', source: 'operator' })
        .catch(() => undefined);
    }
    const before = box.link.sent.length;
    await raise(box);
    await until(() => box.link.sent.length === before + 3, 'three more');
  });
});

describe('a door that does not open at once', () => {
  test('is tried again a few times, and then said not to have opened; the others wait for nothing', async () => {
    const box = await openDoors(OPTIONS);
    box.link.delivered = (id, message) => answer(box.doors, id, message, id === 'gate-2' ? 'fail' : 'ok');
    box.linkage.start();
    await raise(box);
    await box.passUntil(() => box.entries('door.result').length === 5, 'five results');
    await box.pass(20_000);
    expect(sentTo(box)).toEqual(['gate-1', 'gate-2', 'gate-2', 'gate-2', 'gate-3']);
  });

  test('because it says nothing is asked again after two seconds, not after its usual time', async () => {
    const box = await openDoors(OPTIONS);
    const asked: number[] = [];
    box.link.delivered = (id, message) => {
      if (id !== 'gate-1') return answer(box.doors, id, message);
      asked.push(box.clock.mono());
      return undefined;
    };
    box.linkage.start();
    await raise(box);
    await box.passUntil(() => asked.length === 3, 'three tries');
    expect((asked[2] ?? 0) - (asked[0] ?? 0)).toBeLessThan(6_000);
    await box.pass(5_000);
    expect(asked).toHaveLength(3);
  });

  test('because it is away opens when it is back, minutes later', async () => {
    const box = await openDoors(OPTIONS);
    answering(box);
    box.link.away.add('gate-1');
    box.linkage.start();
    await raise(box);
    await box.pass(5 * 60_000);
    expect(sentTo(box)).toEqual(['gate-2', 'gate-3']);
    expect(box.entries('door.command').filter(({ subject }) => subject === 'gate-1')).toHaveLength(1);
    box.link.away.clear();
    await box.passUntil(() => box.link.sent.length === 3, 'the third door');
  });

  test('stays shut when people have found out meanwhile that there is no fire', async () => {
    const box = await openDoors(OPTIONS);
    answering(box);
    box.link.away.add('gate-1');
    box.linkage.start();
    const alarm = await raise(box);
    await box.pass(10_000);
    await box.board.transact((tx) => tx.act({ type: 'false', alarm: alarm?.id ?? '', reason: '误碰' }, byLi));
    await box.pass(1_000);
    box.link.away.clear();
    await box.pass(60_000);
    expect(sentTo(box)).toEqual(['gate-2', 'gate-3']);
  });

  test('is not waited for longer than a fire can be the reason', async () => {
    const box = await openDoors(OPTIONS);
    answering(box);
    box.link.away.add('gate-1');
    box.linkage.start();
    await raise(box);
    await box.pass(11 * 60_000);
    box.link.away.clear();
    await box.pass(60_000);
    expect(sentTo(box)).toEqual(['gate-2', 'gate-3']);
  });

  test('that is connected and does not listen is tried more and more seldom, not in a loop', async () => {
    const box = await openDoors(OPTIONS);
    box.link.send = (id) => Promise.reject(new QuanweiError('DEVICE_OFFLINE', `${id} does not listen`));
    box.linkage.start();
    await raise(box);
    await box.pass(9 * 60_000);
    const tries = box.entries('door.command').length / 3;
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(60);
  });
});

describe('a power cut', () => {
  test('between the alarm and the doors does not keep them shut', async () => {
    const first = await openDoors(OPTIONS);
    await raise(first);
    await first.close(); // the linkage never ran
    const box = await openDoors({ ...OPTIONS, dir: first.dir, clock: newStart(first.clock.wall() + 30_000) });
    answering(box);
    box.linkage.start();
    await until(() => box.link.sent.length === 3, 'three doors');
  });

  test('after the doors opened does not open them again', async () => {
    const first = await openDoors(OPTIONS);
    answering(first);
    first.linkage.start();
    await raise(first);
    await until(() => first.entries('door.result').length === 3, 'three results');
    await until(() => first.journal.cursor('linkage') > 0, 'the cursor');
    await first.close();
    const box = await openDoors({ ...OPTIONS, dir: first.dir, clock: newStart(first.clock.wall() + 30_000) });
    box.linkage.start();
    await box.pass(5_000);
    expect(box.link.sent).toEqual([]);
  });

  test('while a door was still away: it opens after the restart, when it is back', async () => {
    const first = await openDoors(OPTIONS);
    answering(first);
    first.link.away.add('gate-2');
    first.linkage.start();
    await raise(first);
    await first.pass(5_000);
    await first.close();
    const box = await openDoors({ ...OPTIONS, dir: first.dir, clock: newStart(first.clock.wall() + 30_000) });
    answering(box);
    for (const id of DOORS) box.link.away.add(id);
    box.linkage.start();
    await box.pass(5_000);
    box.link.away.clear();
    await box.passUntil(() => sentTo(box).includes('gate-2'), 'the door');
  });

  test('that lasted an hour opens nothing any more, and says so at every door, once', async () => {
    const first = await openDoors(OPTIONS);
    await raise(first);
    await first.close();
    let box = await openDoors({ ...OPTIONS, dir: first.dir, clock: newStart(first.clock.wall() + 3_600_000) });
    box.linkage.start();
    await until(() => box.entries('door.result').length === 3, 'three notes');
    await until(() => box.journal.cursor('linkage') > 0, 'the cursor');
    await box.close();
    box = await openDoors({ ...OPTIONS, dir: first.dir, clock: newStart(first.clock.wall() + 3_601_000) });
    box.linkage.start();
    await box.pass(2_000);
    expect(box.link.sent).toEqual([]);
    expect(box.entries('door.result').map(({ subject, body }) => [subject, (body as { code: string }).code])).toEqual(
      DOORS.map((id) => [id, 'stale']),
    );
  });

  test('and people ended the fire before it could be seen to: nothing opens', async () => {
    const first = await openDoors(OPTIONS);
    const alarm = await raise(first);
    await first.board.transact((tx) => tx.act({ type: 'false', alarm: alarm?.id ?? '', reason: '误碰' }, byLi));
    await first.close();
    const box = await openDoors({ ...OPTIONS, dir: first.dir, clock: newStart(first.clock.wall() + 30_000) });
    box.linkage.start();
    await box.pass(5_000);
    expect(box.link.sent).toEqual([]);
  });
});

describe('the disk', () => {
  test('that cannot be written after the alarm keeps no door shut', async () => {
    const box = await openDoors(OPTIONS);
    answering(box);
    box.linkage.start();
    const append = box.journal.append.bind(box.journal);
    await raise(box);
    box.journal.append = (drafts, changes) =>
      drafts.some(({ kind }) => kind.startsWith('door.'))
        ? Promise.reject(new QuanweiError('STORAGE_FULL', 'full'))
        : append(drafts, changes);
    await until(() => box.link.sent.length === 3, 'three doors');
  });

  test('that hangs holds a door up for less than half a second', async () => {
    const box = await openDoors(OPTIONS);
    answering(box);
    box.linkage.start();
    const append = box.journal.append.bind(box.journal);
    await raise(box);
    box.journal.append = (drafts, changes) =>
      drafts.some(({ kind }) => kind === 'door.command') ? new Promise(() => undefined) : append(drafts, changes);
    const began = box.clock.mono();
    await box.passUntil(() => box.link.sent.length === 3, 'three doors');
    expect(box.clock.mono() - began).toBeLessThan(500);
  });
});

describe('what cannot be released', () => {
  test('is said when the gateway starts, not when it burns', async () => {
    const box = await openDoors({ ...OPTIONS, alarms: { fireReleases: ['gate-1', 'call'] } });
    expect(() => box.linkage.start()).toThrowError(
      expect.objectContaining({ code: 'BAD_CONFIG', where: 'alarms.fireReleases[1]' }),
    );
  });

  test('nothing: a compound that releases no doors pays nothing for it', async () => {
    const box = await openDoors({ devices: OPTIONS.devices });
    box.linkage.start();
    await raise(box);
    await told();
    expect(box.link.sent).toEqual([]);
    expect(box.entries('door.command', 'door.result')).toEqual([]);
  });
});
