import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { Registry } from '../../src/devices/registry.ts';
import { checkSecret, generateSecret, hashSecret } from '../../src/devices/secret.ts';
import { newStart, quiet } from '../journal/support.ts';
import { dataDir } from '../support/data-dir.ts';
import { door, openBox, SECRET, told, until } from './box.ts';
import { catalogue } from './support.ts';

const HUB = { id: 'hub-1', profile: 'zigbee2mqtt-hub', secret: SECRET };
const button = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  profile: 'zigbee-sos-button',
  hub: 'hub-1',
  ...more,
});

describe('secrets', () => {
  test('one that is made can be read off a page: no letter that resembles another, enough of them to be no guess', () => {
    const made = Array.from({ length: 200 }, generateSecret);
    expect(new Set(made).size).toBe(made.length);
    for (const secret of made) expect(secret).toMatch(/^([a-hjkmnp-z2-9]{4}-){4}[a-hjkmnp-z2-9]{4}$/);
  });

  test('the right one fits, any other does not, and the hash says what it costs', async () => {
    const hash = await hashSecret('泉水 spring-x7', 'device');
    expect(hash).toMatch(/^scrypt\$\d+\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
    expect(hash).not.toContain('spring');
    expect(await checkSecret('泉水 spring-x7', hash)).toBe(true);
    for (const other of ['', '泉水 x8', '泉水 spring-x7 ', hash]) expect(await checkSecret(other, hash)).toBe(false);
    expect(await checkSecret('x', 'no hash at all')).toBe(false);
    expect(await hashSecret('泉水 spring-x7', 'device')).not.toBe(hash);
  });
});

describe('the devices of the file', () => {
  test('are known with their hashed secret, and recorded once', async () => {
    const box = await openBox({ devices: [door('door-1', { name: '大门', place: '3栋' })] });
    const device = box.registry.get('door-1');
    expect(device).toMatchObject({
      id: 'door-1',
      name: '大门',
      place: '3栋',
      managed: 'file',
      hub: null,
      enabled: true,
    });
    expect(await checkSecret(SECRET, device?.secretHash ?? '')).toBe(true);
    expect(box.entries('device.registered').map(({ subject, lane }) => [subject, lane])).toEqual([['door-1', 2]]);
    await box.close();
    const again = await openBox({ dir: box.dir, devices: [door('door-1', { name: '大门', place: '3栋' })] });
    expect(again.entries('device.registered', 'device.updated')).toHaveLength(1);
    expect(again.registry.get('door-1')).toEqual(device);
  });

  test('that changed in the file, or are gone from it, are recorded as such; a secret never', async () => {
    const box = await openBox({ devices: [door('door-1'), door('door-2'), door('door-3')] });
    await box.close();
    const again = await openBox({
      dir: box.dir,
      devices: [door('door-1', { place: '西门' }), door('door-2', { secret: 'another-secret' })],
    });
    const recorded = again.entries('device.updated', 'device.removed');
    expect(recorded.map(({ kind, subject, body }) => [kind, subject, (body as { changed?: unknown }).changed])).toEqual(
      [
        ['device.updated', 'door-1', { place: '西门' }],
        ['device.updated', 'door-2', { secret: 'changed' }],
        ['device.removed', 'door-3', undefined],
      ],
    );
    expect(again.registry.get('door-3')).toBeNull();
    expect(await checkSecret('another-secret', again.registry.get('door-2')?.secretHash ?? '')).toBe(true);
    expect(JSON.stringify(again.journal.read({ after: 0, limit: 100 }))).not.toMatch(/another-secret|scrypt/);
  });

  test('300 of them cost no second round of hashing: a start takes well under a second', async () => {
    const devices = Array.from({ length: 300 }, (_, i) => door(`door-${i}`, { secret: `${SECRET}-${i}` }));
    const box = await openBox({ devices });
    const hash = box.registry.get('door-299')?.secretHash;
    await box.close();
    const began = performance.now();
    const again = await openBox({ dir: box.dir, devices });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(again.registry.get('door-299')?.secretHash).toBe(hash);
  }, 60_000);

  test('the key of the digests lies apart from the database, readable by nobody else; without it all is hashed anew', async () => {
    const box = await openBox({ devices: [door('door-1')] });
    const key = join(box.dir, 'device-secrets.key');
    expect(statSync(key).mode & 0o077).toBe(0);
    expect(readFileSync(join(box.dir, 'quanwei.db')).includes(readFileSync(key))).toBe(false);
    const before = box.registry.get('door-1')?.secretHash;
    await box.close();
    rmSync(key);
    const again = await openBox({ dir: box.dir, devices: [door('door-1')] });
    expect(existsSync(key)).toBe(true);
    expect(again.registry.get('door-1')?.secretHash).not.toBe(before);
    expect(await checkSecret(SECRET, again.registry.get('door-1')?.secretHash ?? '')).toBe(true);
  });

  test.each([
    ['a profile that is none', [door('d', { profile: 'nothing' })], /no device profile nothing/],
    ['a parameter that is none', [door('d', { params: { colour: 'red' } })], /has no parameter colour/],
    ['a parameter that widens a topic', [door('d', { params: { terminal: '+' } })], /parameter terminal cannot be/],
    ['a hub that is no hub', [door('d'), button('b', { hub: 'd' })], /speaks for nobody/],
    [
      'two with one name behind one hub',
      [HUB, button('a', { params: { key: 'x' } }), button('b', { params: { key: 'x' } })],
      /already x behind hub-1/,
    ],
  ])('%s keeps the gateway from starting, and says which device', async (_name, devices, said) => {
    await expect(openBox({ devices })).rejects.toThrowError(
      expect.objectContaining({
        code: 'BAD_CONFIG',
        message: expect.stringMatching(said),
        where: expect.stringMatching(/devices\[\d\]/),
      }),
    );
  });

  test('all that do not fit are told at once', async () => {
    const devices = [door('a', { profile: 'x' }), door('b'), door('c', { profile: 'y' })];
    await expect(openBox({ devices })).rejects.toThrowError(
      /2 devices do not fit:\n.*devices\[0\] \(a\).*\n.*devices\[2\] \(c\)/,
    );
  });

  test('where they stand in the file is told with the key that is wrong', async () => {
    const { journal } = await openBox();
    const path = join(dataDir(), 'gateway.yaml');
    writeFileSync(
      path,
      [
        'site: { id: a, name: a, street: b }',
        'devices:',
        `  - { id: a, profile: nothing, secret: ${SECRET} }`,
        `  - { id: b, profile: face-oem-mqtt, secret: ${SECRET} }`,
        '  - id: c',
        '    profile: zigbee-sos-button',
        '    hub: b',
      ].join('\n'),
    );
    const { config, locate } = loadConfig(path, {});
    const parts = { journal, catalogue: catalogue(), clock: newStart(), log: quiet };
    const refused = Registry.load({ ...parts, config: { devices: config.devices, locate } });
    await expect(refused).rejects.toThrowError(`${path}:3:14: devices[0] (a): 没有此型号`);
    await expect(refused).rejects.toThrowError(`${path}:7:5: devices[2] (c): b 不是中心`);
  });

  test('those of the commented sample fit their profiles', async () => {
    const sample = fileURLToPath(new URL('../../docs/examples/gateway.yaml', import.meta.url));
    const env = new Proxy(
      {},
      { get: (_, name) => (name === 'CREDENTIALS_DIRECTORY' ? undefined : `secret-${String(name)}`) },
    );
    const { journal } = await openBox();
    const { config } = loadConfig(sample, env);
    const registry = await Registry.load({ journal, catalogue: catalogue(), config, clock: newStart(), log: quiet });
    expect(registry.all()).toHaveLength(config.devices.length);
    expect(registry.childOf('zigbee-3', '0x00158d0001234567')?.id).toBe('sos-3-101');
    await registry.close();
  });
});

describe('behind a hub', () => {
  test('each is found by the name its hub knows it by', async () => {
    const { registry } = await openBox({ devices: [HUB, button('b1'), button('b2', { params: { key: '走廊 2' } })] });
    expect(registry.children('hub-1').map(({ id }) => id)).toEqual(['b1', 'b2']);
    expect(registry.childOf('hub-1', 'b1')?.id).toBe('b1');
    expect(registry.childOf('hub-1', '走廊 2')?.id).toBe('b2');
    expect(registry.childOf('hub-1', 'b2')).toBeNull();
    expect(registry.childOf('b1', 'hub-1')).toBeNull();
    expect(registry.get('b1')?.secretHash).toBeNull();
    expect(registry.lifeSafety('b1')).toBe(true);
    expect(registry.lifeSafety('nobody')).toBe(false);
  });
});

describe('the devices of the page', () => {
  test('are registered with a secret that is told once, recorded with who did it, and there after a restart', async () => {
    const box = await openBox();
    const { device, secret } = await box.registry.register(
      { id: 'gate', profile: 'esphome-lock', name: '西门' },
      'user:li',
    );
    expect(await checkSecret(secret ?? '', device.secretHash ?? '')).toBe(true);
    const [entry] = box.entries('device.registered');
    expect(entry).toMatchObject({
      actor: 'user:li',
      subject: 'gate',
      body: { name: '西门', managed: 'page', hasSecret: true },
    });
    expect(JSON.stringify(box.journal.read({ after: 0, limit: 9 }))).not.toContain(secret);
    await box.close();
    const again = await openBox({ dir: box.dir });
    expect(again.registry.get('gate')).toEqual(device);
  });

  test('a new secret makes the old one worthless', async () => {
    const { registry, entries } = await openBox();
    const first = await registry.register({ id: 'gate', profile: 'esphome-lock' }, 'user:li');
    const second = await registry.rotateSecret('gate', 'user:wang');
    const hash = registry.get('gate')?.secretHash ?? '';
    expect([await checkSecret(first.secret ?? '', hash), await checkSecret(second.secret ?? '', hash)]).toEqual([
      false,
      true,
    ]);
    expect(entries('device.updated')[0]).toMatchObject({
      actor: 'user:wang',
      body: { changed: { secret: 'changed' } },
    });
  });

  test('what is changed is a new object, recorded with what changed and nothing else', async () => {
    const { registry, entries } = await openBox();
    const { device } = await registry.register({ id: 'gate', profile: 'esphome-lock' }, 'user:li');
    const changed = await registry.update('gate', { place: '西门', enabled: false }, 'user:li');
    expect(changed).not.toBe(device);
    expect(device.place).toBe('');
    expect(registry.get('gate')).toBe(changed);
    expect(entries('device.updated').map(({ body }) => body)).toEqual([{ changed: { place: '西门', enabled: false } }]);
    await registry.update('gate', { place: '西门' }, 'user:li');
    expect(entries('device.updated')).toHaveLength(1);
  });

  test('one that is removed is gone, its past stays in the journal', async () => {
    const box = await openBox();
    await box.registry.register({ id: 'gate', profile: 'esphome-lock' }, 'user:li');
    await box.says('gate', { online: true });
    await box.registry.flush(true);
    await box.registry.remove('gate', 'user:li', '换新');
    expect(box.registry.get('gate')).toBeNull();
    expect(box.entries('device.removed')[0]).toMatchObject({
      subject: 'gate',
      body: { reason: '换新', profile: 'esphome-lock' },
    });
    await box.close();
    const again = await openBox({ dir: box.dir });
    expect(again.registry.all()).toEqual([]);
    expect(again.journal.select('SELECT * FROM device_states')).toEqual([]);
  });

  test.each([
    ['an id that is taken', { id: 'door-1', profile: 'face-oem-mqtt' }, 'CONFLICT'],
    ['the id of the box itself', { id: 'gateway', profile: 'face-oem-mqtt' }, 'CONFLICT'],
    ['an id that would widen a topic', { id: 'a/#', profile: 'face-oem-mqtt' }, 'BAD_REQUEST'],
    ['a model that is none', { id: 'x', profile: 'nothing' }, 'BAD_REQUEST'],
    ['a hub that is not there', { id: 'x', profile: 'zigbee-sos-button', hub: 'hub-9' }, 'BAD_REQUEST'],
    ['a hub that is no hub', { id: 'x', profile: 'zigbee-sos-button', hub: 'door-1' }, 'BAD_REQUEST'],
    ['a parent that is not there', { id: 'x', profile: 'face-oem-mqtt', parent: 'y' }, 'BAD_REQUEST'],
    ['a name of two lines', { id: 'x', profile: 'face-oem-mqtt', name: 'a\nb' }, 'BAD_REQUEST'],
    ['a secret that is no secret', { id: 'x', profile: 'face-oem-mqtt', secret: '1234' }, 'BAD_REQUEST'],
    ['a field that is none', { id: 'x', profile: 'face-oem-mqtt', admin: true }, 'BAD_REQUEST'],
  ])('%s is refused and leaves nothing behind', async (_name, draft, code) => {
    const { registry, entries } = await openBox({ devices: [door('door-1')] });
    await expect(registry.register(draft, 'user:li')).rejects.toMatchObject({ code });
    expect(entries('device.registered')).toHaveLength(1);
    expect(registry.all()).toHaveLength(1);
  });

  test('what stands in the file is changed in the file', async () => {
    const { registry } = await openBox({ devices: [door('door-1')] });
    for (const attempt of [
      registry.update('door-1', { place: 'x' }, 'user:li'),
      registry.remove('door-1', 'user:li', 'x'),
      registry.rotateSecret('door-1', 'user:li'),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'CONFLICT', hint: expect.stringContaining('restart') });
    }
  });

  test('one that others depend on is not removed, and parents never go round in a circle', async () => {
    const { registry } = await openBox();
    await registry.register({ id: 'a', profile: 'esphome-lock' }, 'user:li');
    await registry.register({ id: 'b', profile: 'esphome-lock', parent: 'a' }, 'user:li');
    await expect(registry.remove('a', 'user:li', 'x')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(registry.update('a', { parent: 'b' }, 'user:li')).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('two that want one id at the same moment: one gets it', async () => {
    const { registry, entries } = await openBox();
    const draft = { id: 'gate', profile: 'esphome-lock' };
    const made = await Promise.allSettled([registry.register(draft, 'user:a'), registry.register(draft, 'user:b')]);
    expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(entries('device.registered')).toHaveLength(1);
  });

  test('one that the file now names belongs to the file', async () => {
    const box = await openBox();
    await box.registry.register({ id: 'gate', profile: 'esphome-lock' }, 'user:li');
    await box.close();
    const again = await openBox({ dir: box.dir, devices: [{ id: 'gate', profile: 'esphome-lock', secret: SECRET }] });
    expect(again.registry.get('gate')?.managed).toBe('file');
    expect(again.entries('device.updated')[0]).toMatchObject({ body: { changed: { managed: 'file' } } });
  });
});

describe('how a device is', () => {
  test('a heartbeat moves the time it was seen and writes no entry', async () => {
    const box = await openBox({ devices: [door('door-1')] });
    await box.says('door-1');
    for (let i = 0; i < 100; i++) {
      box.clock.advance(1_000);
      await box.registry.note('door-1', box.clock.wall(), {});
    }
    expect(box.registry.state('door-1')).toMatchObject({ online: true, lastSeen: box.clock.wall() });
    expect(box.entries('device.state')).toHaveLength(1);
  });

  test('each change that matters is one entry: first word, firmware, battery, clock', async () => {
    const box = await openBox({ devices: [door('door-1')] });
    const changed = () => box.entries('device.state').map(({ body }) => (body as { changed: unknown }).changed);
    await box.says('door-1', { firmware: '1.0', address: '10.0.0.5' });
    await box.says('door-1', { firmware: '1.0', address: '10.0.0.6' });
    await box.says('door-1', { firmware: '1.1', battery: 60 });
    await box.says('door-1', { battery: 20 });
    for (const battery of [21, 19, 25, 20, 29]) await box.says('door-1', { battery });
    await box.says('door-1', { battery: 30 });
    expect(changed()).toEqual([
      { online: true, firmware: '1.0' },
      { firmware: '1.1' },
      { batteryLow: true },
      { batteryLow: false },
    ]);
    expect(box.registry.state('door-1')).toMatchObject({ battery: 30, firmware: '1.1', address: '10.0.0.6' });
  });

  test('a clock is wrong after two readings, or one that cannot be a message’s delay; and right again with one', async () => {
    const box = await openBox({ devices: [door('a'), door('b')] });
    const wrong = (id: string) => box.registry.state(id).clockWrong;
    await box.says('a', { clock: box.clock.wall() - 300_000 });
    expect(wrong('a')).toBe(false);
    await box.says('a', { clock: box.clock.wall() - 300_000 });
    expect(wrong('a')).toBe(true);
    await box.says('a', { clock: box.clock.wall() - 90_000 });
    expect(wrong('a')).toBe(true);
    await box.says('a', { clock: box.clock.wall() + 1_000 });
    expect(wrong('a')).toBe(false);
    await box.says('b', { clock: 0 });
    expect(wrong('b')).toBe(true);
  });

  test('a box that does not know the time itself judges nobody’s clock', async () => {
    const box = await openBox({ devices: [door('a')] });
    box.clock.setState('unsynced');
    for (let i = 0; i < 5; i++) await box.says('a', { clock: 0 });
    expect(box.registry.state('a')).toMatchObject({ clockWrong: false, clockOffset: null });
  });

  test('news whose commit failed is told again until it is in the journal, and not more than once', async () => {
    const box = await openBox({ devices: [door('door-1')] });
    const lost = box.registry.note('door-1', box.clock.wall(), {});
    expect(lost).toHaveLength(1);
    expect(box.registry.note('door-1', box.clock.wall(), {})).toEqual([]);
    box.clock.advance(31_000);
    await box.registry.flush();
    await told();
    await box.registry.flush();
    expect(box.entries('device.state')).toHaveLength(1);
  });

  test('is still known after a restart, and after a power cut but for the last minutes', async () => {
    const box = await openBox({ devices: [door('door-1')] });
    await box.says('door-1', { firmware: '2.0', battery: 15, address: '10.0.0.7' });
    await box.registry.flush();
    box.clock.advance(60_000);
    await box.says('door-1');
    const cut = await box.journal.select<{ last_seen: number; battery: number }>('SELECT * FROM device_states');
    expect(cut[0]).toMatchObject({ last_seen: box.clock.wall() - 60_000, battery: 15 });
    const before = box.registry.state('door-1');
    await box.close();
    const again = await openBox({ dir: box.dir, devices: [door('door-1')], clock: newStart(box.clock.wall()) });
    expect(again.registry.state('door-1')).toEqual(before);
    await again.says('door-1', { firmware: '2.0', battery: 15 });
    expect(again.entries('device.state')).toHaveLength(1);
  });

  test('that it has spoken for the first time is written down within a second, so that a power cut does not unlearn it', async () => {
    const box = await openBox({ devices: [door('door-1'), door('door-2')] });
    await box.says('door-1');
    box.clock.advance(1_000);
    const seen = () =>
      box.journal
        .select<{ id: string }>('SELECT id FROM device_states WHERE last_seen IS NOT NULL')
        .map(({ id }) => id);
    await until(() => seen().length > 0, 'the row of the device');
    expect(seen()).toEqual(['door-1']);
  });

  test('heartbeats alone are written down every ten minutes, not every half minute: SD cards wear out', async () => {
    const box = await openBox({ devices: [door('door-1')] });
    await box.says('door-1');
    await box.registry.flush();
    const commits = box.journal.state().commits;
    for (let i = 0; i < 18; i++) {
      box.clock.advance(30_000);
      await box.says('door-1');
      await box.registry.flush();
    }
    expect(box.journal.state().commits).toBe(commits);
    box.clock.advance(60_000);
    await box.says('door-1');
    await box.registry.flush();
    expect(box.journal.state().commits).toBeGreaterThan(commits);
  });

  test('of 2,000 devices costs microseconds a message', async () => {
    const devices = Array.from({ length: 2_000 }, (_, i) => door(`door-${i}`));
    const { registry, clock } = await openBox({ devices });
    for (const { id } of registry.all()) registry.note(id, clock.wall(), {});
    const began = performance.now();
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 2_000; i++) registry.note(`door-${i}`, clock.wall() + round, { clock: clock.wall() });
    }
    expect((performance.now() - began) / 40_000).toBeLessThan(0.05);
  }, 60_000);
});

describe('who knocks without being registered', () => {
  test('is listed with when and how often, told once in the journal, and never a device', async () => {
    const box = await openBox({ devices: [HUB] });
    box.registry.candidate({ via: null, key: 'door-77', hint: 'MQTT 10.0.0.9' });
    box.clock.advance(5_000);
    box.registry.candidate({ via: null, key: 'door-77', hint: 'MQTT 10.0.0.9' });
    box.registry.candidate({ via: 'hub-1', key: '0xabc', hint: 'says: smoke, battery' });
    expect(box.registry.candidates()).toMatchObject([
      { via: null, key: 'door-77', count: 2, last: box.clock.wall(), first: box.clock.wall() - 5_000 },
      { via: 'hub-1', key: '0xabc', count: 1 },
    ]);
    expect(box.registry.get('door-77')).toBeNull();
    await box.registry.flush();
    await box.registry.flush();
    expect(box.entries('device.candidate').map(({ subject }) => subject)).toEqual(['door-77', '0xabc']);
    await box.close();
    const again = await openBox({ dir: box.dir, devices: [HUB] });
    expect(again.registry.candidates()).toHaveLength(2);
  });

  test('leaves the list when it is registered or dismissed', async () => {
    const { registry } = await openBox({ devices: [HUB] });
    registry.candidate({ via: 'hub-1', key: '0xabc', hint: '' });
    registry.candidate({ via: null, key: 'gate', hint: '' });
    registry.candidate({ via: null, key: 'noise', hint: '' });
    await registry.register(
      { id: 'sos', profile: 'zigbee-sos-button', hub: 'hub-1', params: { key: '0xabc' } },
      'user:li',
    );
    await registry.register({ id: 'gate', profile: 'esphome-lock' }, 'user:li');
    expect(registry.dismiss(null, 'noise')).toBe(true);
    expect(registry.candidates()).toEqual([]);
    registry.candidate({ via: 'hub-1', key: '0xabc', hint: '' });
    expect(registry.candidates()).toEqual([]);
  });

  test('ten thousand names tried at the door are bounded, and push no end device off the list', async () => {
    const { registry, entries, journal } = await openBox({ devices: [HUB] });
    registry.candidate({ via: 'hub-1', key: 'the-new-smoke-detector', hint: '' });
    for (let i = 0; i < 10_000; i++) registry.candidate({ via: null, key: `name-${i}`, hint: '' });
    await registry.flush();
    expect(registry.candidates()).toHaveLength(251);
    expect(registry.candidates().some(({ key }) => key === 'the-new-smoke-detector')).toBe(true);
    expect(entries('device.candidate')).toHaveLength(20);
    expect(journal.select('SELECT * FROM device_candidates')).toHaveLength(251);
  });

  test('whatever its name and hint are made of, they are stored, bounded and readable again', async () => {
    const box = await openBox();
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.string({ unit: 'binary' }),
        async (key, hint) => {
          box.registry.candidate({ via: null, key, hint });
          await box.registry.flush();
          for (const one of box.registry.candidates()) {
            expect(one.key.length).toBeLessThanOrEqual(128);
            expect([...one.key, ...one.hint].every((letter) => letter >= ' ' && letter !== '\u202e')).toBe(true);
          }
        },
      ),
      { numRuns: 50 },
    );
    const kept = box.registry.candidates().map(({ key }) => key);
    await box.close();
    const again = await openBox({ dir: box.dir });
    expect(
      again.registry
        .candidates()
        .map(({ key }) => key)
        .sort(),
    ).toEqual([...kept].sort());
  });
});

test('a page device whose profile is gone does not keep the box from starting', async () => {
  const dir = dataDir();
  const box = await openBox({ dir });
  await box.registry.register({ id: 'gate', profile: 'esphome-lock' }, 'user:li');
  await box.journal.write([{ sql: "UPDATE devices SET profile = 'gone' WHERE id = 'gate'", params: [] }]);
  await box.close();
  const { registry } = await openBox({ dir });
  expect(registry.get('gate')?.profile).toBe('gone');
  expect(registry.lifeSafety('gate')).toBe(false);
});
