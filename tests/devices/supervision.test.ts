import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DueQueue } from '../../src/devices/due-queue.ts';
import { Supervision } from '../../src/devices/supervision.ts';

import { QuanweiError } from '../../src/kernel/errors.ts';
import { newStart, quiet } from '../journal/support.ts';
import { type Box, type BoxOptions, door, openBox, SECRET, told, until } from './box.ts';
import { catalogue } from './support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The face terminal's own limit, in its profile. */
const DOOR_SILENT = 180_000;

interface Watched extends Box {
  readonly supervision: Supervision;
  /** Time goes by, a second at a time so that what is written in between is written, and the box keeps up. */
  pass(ms: number, meanwhile?: () => unknown): Promise<void>;
  /** `device category level` of every alarm whose condition still holds. */
  active(): string[];
}

async function watch(options: BoxOptions = {}, more: { link?: boolean } = {}): Promise<Watched> {
  const box = await openBox(options);
  const { board, registry, journal, clock, link } = box;
  const supervision = new Supervision({
    board,
    registry,
    catalogue: catalogue(),
    journal,
    clock,
    log: quiet,
    timezone: 'Asia/Shanghai',
    ...(more.link === false ? {} : { link }),
  });
  supervision.start();
  onTestFinished(() => supervision.stop());
  const settle = async (): Promise<void> => {
    await told();
    await until(() => !board.busy, 'the board at rest');
    await told();
  };
  return {
    ...box,
    supervision,
    active: () =>
      board
        .open()
        .filter(({ condition }) => condition.startsWith('active'))
        .map(({ device, category, level }) => `${device} ${category} ${level}`)
        .sort(),
    pass: async (ms, meanwhile) => {
      const step = Math.max(1_000, Math.ceil(ms / 60));
      for (let gone = 0; gone < ms; gone += step) {
        clock.advance(Math.min(step, ms - gone));
        await meanwhile?.();
        if (gone % (step * 10) === 0) await settle();
      }
      clock.advance(0);
      await settle();
      clock.advance(1_000);
      await settle();
    },
    close: async () => {
      await supervision.stop();
      await box.close();
    },
  };
}

const HUB = { id: 'hub-1', profile: 'zigbee2mqtt-hub', secret: SECRET };
const behind = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  profile: 'zigbee-sos-button',
  hub: 'hub-1',
  ...more,
});

describe('silence', () => {
  test('longer than its profile allows is an alarm that says what it means, and clears when it speaks again', async () => {
    const box = await watch({ devices: [door('door-1', { name: '大门', place: '3栋' })] });
    await box.says('door-1');
    await box.pass(DOOR_SILENT - 5_000);
    expect(box.active()).toEqual([]);
    await box.pass(5_000);
    expect(box.active()).toEqual(['door-1 device.offline 3']);
    expect(box.registry.state('door-1').online).toBe(false);
    expect(box.board.open()[0]).toMatchObject({
      deviceName: '大门',
      place: '3栋',
      detail: { reason: 'silence', silentSeconds: 180, meaning: expect.stringMatching(/门禁失联.*silent/) },
    });
    const states = box.entries('device.state').map(({ body }) => (body as { changed: unknown }).changed);
    expect(states).toEqual([{ online: true }, { online: false }]);
    await box.says('door-1');
    await box.pass(1_000);
    expect(box.active()).toEqual([]);
    expect(box.board.open()[0]).toMatchObject({ condition: 'cleared-unacknowledged' });
  });

  test('of a device that a life may hang on is graver', async () => {
    const box = await watch({ devices: [{ id: 'call', profile: 'tasmota-contact', secret: SECRET }] });
    await box.says('call');
    await box.pass(11 * MINUTE);
    expect(box.active()).toEqual(['call device.offline 2']);
  });

  test('is measured by what the configuration says where it says something', async () => {
    const box = await watch({ devices: [door('slow', { silentAfter: '1h' }), door('usual')] });
    await box.says('slow');
    await box.says('usual');
    await box.pass(50 * MINUTE);
    expect(box.active()).toEqual(['usual device.offline 3']);
    await box.pass(10 * MINUTE);
    expect(box.active()).toEqual(['slow device.offline 3', 'usual device.offline 3']);
  });

  test('does not come from heartbeats, however many, nor from a clock that is set', async () => {
    const box = await watch({ devices: [door('door-1')] });
    await box.says('door-1');
    await box.pass(30 * MINUTE, () => box.registry.note('door-1', box.clock.wall(), {}));
    box.clock.stepWall(Date.UTC(2038, 0, 1));
    await box.pass(MINUTE);
    box.clock.stepWall(Date.UTC(1970, 0, 2));
    await box.pass(MINUTE);
    expect(box.active()).toEqual([]);
  });

  test('of what was never heard, and of what is out of service, is none', async () => {
    const box = await watch();
    await box.registry.register({ id: 'new', profile: 'face-oem-mqtt' }, 'user:li');
    await box.registry.register({ id: 'old', profile: 'face-oem-mqtt' }, 'user:li');
    await box.says('old');
    await box.registry.update('old', { enabled: false }, 'user:li');
    await box.pass(HOUR);
    expect(box.active()).toEqual([]);
  });

  test('ends with the device: taken out of service or removed, its alarm clears', async () => {
    const box = await watch();
    for (const id of ['a', 'b']) {
      await box.registry.register({ id, profile: 'face-oem-mqtt' }, 'user:li');
      await box.says(id);
    }
    await box.pass(5 * MINUTE);
    expect(box.active()).toHaveLength(2);
    await box.registry.update('a', { enabled: false }, 'user:li');
    await box.registry.remove('b', 'user:li', '拆除');
    await box.pass(1_000);
    expect(box.active()).toEqual([]);
  });
});

describe('a word that it is offline', () => {
  test('taken back within seconds was a connection made anew, and is nothing', async () => {
    const box = await watch({ devices: [door('door-1')] });
    await box.says('door-1');
    await box.pass(5 * MINUTE, () => box.registry.note('door-1', box.clock.wall(), {}));
    for (let i = 0; i < 20; i++) {
      await box.says('door-1', { online: false });
      await box.pass(10_000);
      await box.says('door-1');
    }
    expect(box.board.open()).toEqual([]);
    expect(box.entries('device.state')).toHaveLength(1);
  });

  test('that stands for twenty seconds is an alarm, long before its silence would be', async () => {
    const box = await watch({ devices: [{ id: 'lock', profile: 'esphome-lock', secret: SECRET }] });
    await box.says('lock');
    await box.pass(5 * MINUTE);
    await box.says('lock', { online: false });
    await box.pass(15_000);
    expect(box.active()).toEqual([]);
    await box.pass(5_000);
    expect(box.active()).toEqual(['lock device.offline 3']);
    expect(box.board.open()[0]?.detail).toMatchObject({ reason: 'said' });
  });
});

describe('a model without a heartbeat', () => {
  test('is offline when its connection has been gone for a minute, and back when it is there', async () => {
    const box = await watch({ devices: [{ id: 'face', profile: 'face-topic-face', secret: SECRET }] });
    await box.says('face');
    await box.pass(HOUR);
    expect(box.active()).toEqual([]);
    box.link.away.add('face');
    await box.pass(40_000);
    expect(box.active()).toEqual([]);
    await box.pass(40_000);
    expect(box.active()).toEqual(['face device.offline 3']);
    box.link.away.delete('face');
    await box.pass(15_000);
    expect(box.active()).toEqual([]);
    expect(box.registry.state('face').online).toBe(true);
  });
});

describe('a hub', () => {
  const DEVICES = [HUB, ...Array.from({ length: 50 }, (_, i) => behind(`sos-${i}`, { silentAfter: '1h' }))];
  const everybody = async (box: Watched): Promise<void> => {
    for (const { id } of box.registry.all()) await box.registry.note(id, box.clock.wall(), {});
    await told();
  };

  test('that falls silent is one alarm, not fifty-one; when it is back those behind it get their time anew', async () => {
    const box = await watch({ devices: DEVICES });
    await everybody(box);
    await box.pass(3 * HOUR);
    expect(box.active()).toEqual(['hub-1 device.offline 2']);
    expect(box.board.open()[0]?.detail).toMatchObject({ covers: 50 });
    expect(box.supervision.coveredBy('sos-7')?.id).toBe('hub-1');
    await box.says('hub-1');
    await box.pass(1_000);
    expect(box.active()).toEqual([]);
    // All but one come back within their time.
    await box.pass(30 * MINUTE, () => {
      box.registry.note('hub-1', box.clock.wall(), {});
      for (let i = 1; i < 50; i++) box.registry.note(`sos-${i}`, box.clock.wall(), {});
    });
    expect(box.active()).toEqual([]);
    await box.pass(31 * MINUTE, () => {
      box.registry.note('hub-1', box.clock.wall(), {});
      for (let i = 1; i < 50; i++) box.registry.note(`sos-${i}`, box.clock.wall(), {});
    });
    expect(box.active()).toEqual(['sos-0 device.offline 2']);
  }, 60_000);

  test('that is said to be offline together with all behind it is still one alarm', async () => {
    const box = await watch({ devices: DEVICES });
    await everybody(box);
    await box.pass(5 * MINUTE);
    for (const { id } of [...box.registry.all()].reverse()) await box.says(id, { online: false });
    await box.pass(2 * MINUTE);
    expect(box.active()).toEqual(['hub-1 device.offline 2']);
  });

  test('that speaks while one behind it is silent: that one is the alarm', async () => {
    const box = await watch({ devices: [HUB, behind('sos-1', { silentAfter: '1h' })] });
    await everybody(box);
    await box.pass(61 * MINUTE, () => box.registry.note('hub-1', box.clock.wall(), {}));
    expect(box.active()).toEqual(['sos-1 device.offline 2']);
  });

  test('whose own silence takes long to notice does not keep a silent call point from being an alarm', async () => {
    const box = await watch({
      devices: [
        { id: 'lora', profile: 'chirpstack-hub', secret: SECRET },
        {
          id: 'sos',
          profile: 'chirpstack-sos-ws101',
          hub: 'lora',
          params: { key: '24e124535b316056' },
          silentAfter: '1h',
        },
      ],
    });
    await everybody(box);
    await box.pass(HOUR + 4 * MINUTE);
    expect(box.active()).toEqual([]);
    await box.pass(2 * MINUTE);
    expect(box.active()).toEqual(['sos device.offline 2']);
  });

  test('and a named parent cover alike, through several steps', async () => {
    const box = await watch({
      devices: [
        { id: 'switch', profile: 'tasmota-contact', secret: SECRET, silentAfter: '2m' },
        { ...HUB, parent: 'switch' },
        behind('sos-1', { silentAfter: '3m' }),
        door('door-1', { parent: 'switch' }),
      ],
    });
    await everybody(box);
    await box.pass(2 * HOUR);
    expect(box.active()).toEqual(['switch device.offline 2']);
    expect(box.supervision.coveredBy('sos-1')?.id).toBe('switch');
    await everybody(box);
    await box.pass(2_000);
    expect(box.active()).toEqual([]);
  });

  test('does not clear the alarm of one that had been silent before it', async () => {
    const box = await watch({ devices: [HUB, behind('sos-1', { silentAfter: '10m' })] });
    await everybody(box);
    await box.pass(20 * MINUTE, () => box.registry.note('hub-1', box.clock.wall(), {}));
    await box.pass(40 * MINUTE);
    expect(box.active()).toEqual(['hub-1 device.offline 2', 'sos-1 device.offline 2']);
    await box.says('hub-1');
    await box.pass(1_000);
    expect(box.active()).toEqual(['sos-1 device.offline 2']);
  });
});

describe('after a start', () => {
  test('every device has time to come back: a restart after a night off raises nothing by itself', async () => {
    const first = await watch({ devices: [door('a'), door('b')] });
    for (const id of ['a', 'b']) await first.says(id);
    await first.close();
    const clock = newStart(first.clock.wall() + 9 * HOUR);
    const box = await watch({ dir: first.dir, clock, devices: [door('a'), door('b')] });
    await box.pass(MINUTE);
    await box.says('a');
    await box.pass(2 * MINUTE, () => box.registry.note('a', clock.wall(), {}));
    expect(box.active()).toEqual(['b device.offline 3']);
  });

  test('time heard before it counts: a detector that reports once a day is not forgotten by daily restarts', async () => {
    const smoke = { id: 'smoke', profile: 'zigbee-smoke-gas', hub: 'hub-1' };
    let { dir, clock } = await watch({ devices: [HUB, smoke] }).then(async (box) => {
      await box.says('smoke');
      await box.pass(10 * MINUTE);
      await box.close();
      return box;
    });
    let active: string[] = [];
    for (let day = 0; day < 3 && active.length === 0; day++) {
      clock = newStart(clock.wall() + MINUTE);
      const box: Watched = await watch({ dir, clock, devices: [HUB, smoke] });
      await box.says('hub-1');
      await box.pass(20 * HOUR, () => box.registry.note('hub-1', box.clock.wall(), {}));
      active = box.active();
      dir = box.dir;
      await box.close();
    }
    expect(active).toEqual(['smoke device.offline 2']);
  }, 60_000);

  test('an alarm of before stands, clears when the device speaks, and is not raised twice', async () => {
    const first = await watch({ devices: [door('a'), door('b')] });
    await first.says('a');
    await first.says('b');
    await first.pass(5 * MINUTE);
    expect(first.active()).toHaveLength(2);
    // Cut off: what the registry had in memory is lost, the board's rows are not.
    await first.supervision.stop();
    await first.journal.close();
    const clock = newStart(first.clock.wall() + MINUTE);
    const box = await watch({ dir: first.dir, clock, devices: [door('a'), door('b')] });
    expect(box.registry.state('a').online).toBe(false);
    await box.says('a');
    await box.pass(10 * MINUTE, () => box.registry.note('a', clock.wall(), {}));
    expect(box.active()).toEqual(['b device.offline 3']);
    expect(box.board.open().map(({ count }) => count)).toEqual([1, 1]);
  });

  test('a device known to be offline whose alarm never reached the disk is told once the grace is over', async () => {
    const first = await watch({ devices: [door('a')] });
    await first.says('a');
    first.registry.silent('a', first.clock.wall());
    await first.close();
    const box = await watch({ dir: first.dir, clock: newStart(first.clock.wall()), devices: [door('a')] });
    await box.pass(110_000);
    expect(box.active()).toEqual([]);
    await box.pass(15_000);
    expect(box.active()).toEqual(['a device.offline 3']);
  });
});

describe('while the disk fails', () => {
  const failing = (box: Box): { mend(): void } => {
    const { journal } = box;
    const healthy = journal.state.bind(journal);
    let broken = true;
    const listeners: ((state: ReturnType<typeof healthy>) => void)[] = [];
    journal.state = () => ({
      ...healthy(),
      ok: !broken,
      error: broken ? new QuanweiError('STORAGE_FULL', 'the disk is full') : null,
    });
    journal.onState = (fn) => {
      listeners.push(fn);
      return { cancel: () => undefined };
    };
    return {
      mend: () => {
        broken = false;
        for (const fn of listeners) fn(journal.state());
      },
    };
  };

  test('nobody is silent: connections drop because nothing can be acknowledged, and all get their time anew', async () => {
    const box = await openBox({ devices: [door('a'), door('b')] });
    const disk = failing(box);
    const supervision = new Supervision({ ...box, catalogue: catalogue(), log: quiet });
    supervision.start();
    onTestFinished(() => supervision.stop());
    for (const id of ['a', 'b']) box.registry.note(id, box.clock.wall(), {});
    for (const id of ['a', 'b']) box.registry.note(id, box.clock.wall(), { online: false });
    for (let s = 0; s < 1_200; s++) box.clock.advance(1_000);
    await told();
    expect(box.board.open()).toEqual([]);
    disk.mend();
    for (let s = 0; s < 30; s++) box.clock.advance(1_000);
    box.registry.note('a', box.clock.wall(), {});
    for (let s = 0; s < 60; s++) box.clock.advance(1_000);
    await until(() => box.board.open().length > 0, 'the alarm of b');
    expect(box.board.open().map(({ device }) => device)).toEqual(['b']);
  });

  test('an alarm whose commit failed is raised as soon as the disk takes it, once', async () => {
    const box = await openBox({ devices: [door('a')] });
    let failures = 3;
    const board = {
      open: () => box.board.open(),
      transact: <T>(work: Parameters<typeof box.board.transact<T>>[0]): Promise<T> => {
        failures -= 1;
        return failures >= 0 ? Promise.reject(new QuanweiError('STORAGE_UNAVAILABLE', 'no')) : box.board.transact(work);
      },
    };
    const supervision = new Supervision({ ...box, board, catalogue: catalogue(), log: quiet });
    supervision.start();
    onTestFinished(() => supervision.stop());
    box.registry.note('a', box.clock.wall(), {});
    for (let s = 0; s < 200; s++) {
      box.clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => box.board.open().length > 0, 'the alarm');
    expect(failures).toBeLessThan(0);
    expect(box.entries('alarm.raised')).toHaveLength(1);
  });
});

describe('batteries and clocks', () => {
  test('a battery running low is an alarm until it is well again', async () => {
    const box = await watch({ devices: [{ id: 'face', profile: 'face-topic-face', secret: SECRET }] });
    await box.says('face', { battery: 18 });
    await box.pass(1_000);
    expect(box.active()).toEqual(['face battery.low 4']);
    await box.says('face', { battery: 25 });
    await box.pass(1_000);
    expect(box.active()).toEqual(['face battery.low 4']);
    await box.says('face', { battery: 95 });
    await box.pass(1_000);
    expect(box.active()).toEqual([]);
  });

  test('a device that says by itself when its battery is low is taken at its word', async () => {
    const box = await watch({ devices: [HUB, behind('sos-1')] });
    await box.says('hub-1');
    await box.says('sos-1', { battery: 3 });
    await box.pass(2_000);
    expect(box.active()).toEqual([]);
  });

  test('a wrong clock is an alarm, and the device is told the time in its own words and zone', async () => {
    const box = await watch({ devices: [door('1026700')] });
    for (let i = 0; i < 2; i++) await box.says('1026700', { clock: box.clock.wall() - HOUR });
    await box.pass(1_000);
    expect(box.active()).toEqual(['1026700 device.clock 4']);
    await box.pass(1_000);
    expect(box.link.sent).toHaveLength(1);
    const { topic, payload, qos } = box.link.sent[0]?.message ?? {};
    expect({ topic, qos }).toEqual({ topic: 'mqtt/face/1026700', qos: 0 });
    expect(JSON.parse(payload ?? '')).toMatchObject({
      operator: 'SetSysTime',
      info: { SysTime: expect.stringMatching(/^2026-06-01 12:00:/) },
    });
    expect(box.entries('device.state').at(-1)?.body).toMatchObject({ command: 'setTime', attempt: 1 });
    await box.says('1026700', { clock: box.clock.wall() });
    await box.pass(1_000);
    expect(box.active()).toEqual([]);
  });

  test('a device that does not take the time is told every ten minutes, and not for ever', async () => {
    const box = await watch({ devices: [door('1026700')] });
    const wrong = () => box.registry.note('1026700', box.clock.wall(), { clock: box.clock.wall() - HOUR });
    await box.pass(2_000, wrong);
    await box.pass(5 * MINUTE, wrong);
    expect(box.link.sent).toHaveLength(1);
    for (let hour = 0; hour < 3; hour++) await box.pass(HOUR, wrong);
    expect(box.link.sent).toHaveLength(6);
  });

  test('a box that does not know the time tells nobody', async () => {
    const box = await watch({ devices: [door('1026700')] });
    for (let i = 0; i < 2; i++) await box.says('1026700', { clock: 0 });
    box.clock.setState('unsynced');
    await box.pass(MINUTE, () => box.registry.note('1026700', box.clock.wall(), {}));
    expect(box.link.sent).toEqual([]);
  });
});

test('two thousand devices that fall silent at once are two thousand alarms within seconds of each other', async () => {
  const devices = Array.from({ length: 2_000 }, (_, i) => door(`door-${i}`));
  const box = await watch({ devices });
  for (const { id } of box.registry.all()) box.registry.note(id, box.clock.wall(), {});
  await box.pass(DOOR_SILENT);
  await until(() => box.board.open().length === 2_000, 'all of them');
  for (const { id } of box.registry.all()) box.registry.note(id, box.clock.wall(), {});
  await box.pass(2_000);
  await until(() => box.active().length === 0, 'all of them cleared');
}, 120_000);

test('the queue of moments gives each id once, at the moment that was set last, the earliest first', () => {
  const step = fc.oneof(
    fc.record({ set: fc.nat(20), due: fc.nat(100) }),
    fc.record({ drop: fc.nat(20) }),
    fc.record({ take: fc.nat(100) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new DueQueue();
      const model = new Map<string, number>();
      for (const one of steps) {
        if ('set' in one) {
          queue.set(`${one.set}`, one.due);
          model.set(`${one.set}`, one.due);
        } else if ('drop' in one) {
          queue.delete(`${one.drop}`);
          model.delete(`${one.drop}`);
        } else {
          const due = [...model].filter(([, at]) => at <= one.take);
          const taken = queue.take(one.take);
          expect([...taken].sort()).toEqual(due.map(([id]) => id).sort());
          const order = taken.map((id) => model.get(id) ?? Number.NaN);
          expect(order).toEqual([...order].sort((a, b) => a - b));
          for (const [id] of due) model.delete(id);
        }
        expect(queue.size).toBe(model.size);
      }
    }),
  );
});
