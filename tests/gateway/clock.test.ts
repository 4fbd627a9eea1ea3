import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { Centre, Reader, until } from '../upstream/centre.ts';
import { device, eventually, gatewayOf, login, openAlarms, upstream } from './compound.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** A library that tells a program another wall clock, set by a file; Debian's libfaketime. */
function faketime(): string | null {
  for (const machine of readdirSync('/usr/lib')) {
    if (!machine.endsWith('-linux-gnu')) continue;
    const dir = join('/usr/lib', machine, 'faketime');
    try {
      if (readdirSync(dir).includes('libfaketime.so.1')) return join(dir, 'libfaketime.so.1');
    } catch {
      // Another machine's libraries, without this one.
    }
  }
  if (process.env['CI'] === 'true') throw new Error('the tests of a stepping clock need libfaketime');
  console.warn('skipped: the tests of a stepping clock need libfaketime');
  return null;
}

const LIBRARY = faketime();

/** The wall clock of one gateway process, in seconds from the real one. Monotonic time goes on as it does. */
function wallClock(): { env: Record<string, string>; step(seconds: number): void } {
  const file = join(dataDir(), 'faketime');
  const step = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
  step(0);
  const env = {
    LD_PRELOAD: LIBRARY ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  return { env, step };
}

/** What the library shares among a program's processes; it outlives those that are killed. */
const shared = (): string[] => {
  const places = existsSync('/dev/shm') ? readdirSync('/dev/shm') : [];
  return places.filter((name) => /^(sem\.)?faketime_s(hm|em)_\d+$/.test(name));
};

describe.runIf(LIBRARY !== null)('the gateway’s own clock', () => {
  const before = new Set(shared());
  afterAll(() => {
    for (const name of shared()) if (!before.has(name)) rmSync(join('/dev/shm', name), { force: true });
  });

  test('steps a day back and two days on: recorded, nothing is due too early or too late, order holds', async () => {
    const clock = wallClock();
    const gateway = await gatewayOf(
      {
        devices: ['sos-1', 'sos-2', 'sos-3'].map((id) => device(id, 'zigbee-sos-button')),
        alarms: { levels: { 1: { acknowledge: '1h' }, 2: { acknowledge: '6s' } }, escalateTo: ['manager'] },
      },
      clock.env,
    );
    await gateway.start();
    const button = await login(gateway, 'sos-1');
    await button.published('zigbee2mqtt/sos-1', '{"action":"emergency"}');
    const second = await login(gateway, 'sos-2');
    await second.published('zigbee2mqtt/sos-2', '{"tamper":true}');
    const begun = performance.now();

    clock.step(-DAY);
    await second.published('zigbee2mqtt/sos-2', '{"battery_low":true}');
    const [told] = await eventually(async () => {
      const entries = await gateway.entries('alarm.escalated');
      return entries.length > 0 && entries;
    }, 'what was due in six seconds is due in six seconds');
    expect(performance.now() - begun).toBeGreaterThan(5_000);
    expect(told?.body['alarm']).toMatchObject({ device: 'sos-2', category: 'tamper' });
    const steps = () => gateway.entries('system.clock');
    await eventually(async () => (await steps()).length === 1, 'the step back is recorded');

    clock.step(DAY);
    const third = await login(gateway, 'sos-3');
    await third.published('zigbee2mqtt/sos-3', '{"action":"emergency"}');
    await eventually(async () => (await steps()).length === 2, 'the step ahead is recorded');
    const told2 = (await steps()).map(({ body }) => Math.round(Number(body['stepMs']) / 1_000 / HOUR));
    expect(told2).toEqual([-24, 48]);

    // An hour has not passed for anybody, whatever the clock on the wall says.
    expect((await gateway.entries('alarm.escalated')).map(({ subject }) => subject)).toEqual([told?.subject]);
    const journal = await gateway.journal();
    expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, i) => i + 1));
    const ids = journal.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
    expect((await gateway.run('verify', '--data', gateway.data, '--json')).code).toBe(0);
  }, 60_000);

  test('the centre is gone for three days: that is an alarm, and every alarm and passage arrives when it is back', async () => {
    const clock = wallClock();
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    await centre.stop();
    const gateway = await gatewayOf(
      {
        devices: [device('sos-1', 'zigbee-sos-button'), device('door-1', 'face-oem-mqtt')],
        upstream: { url: centre.url, backoff: { min: '50ms', max: '200ms', stable: '10s' } },
      },
      clock.env,
    );
    for (let day = 0; day <= 3; day += 1) {
      clock.step(day * DAY);
      await gateway.start();
      const door = await login(gateway, 'door-1');
      for (let n = 0; n < 20; n += 1) {
        const info = { RecordID: `${day}-${n}`, VerifyStatus: '1', Sendintime: '1' };
        await door.published('mqtt/face/door-1/Rec', JSON.stringify({ operator: 'RecPush', info }));
      }
      const button = await login(gateway, 'sos-1');
      await button.published('zigbee2mqtt/sos-1', '{"action":"emergency"}');
      if (day === 3) break;
      await gateway.kill();
    }
    await eventually(
      async () => (await openAlarms(gateway)).some(({ category }) => category === 'system.backlog'),
      'a backlog that grows old is an alarm',
    );
    await centre.start();
    await until(() => reader.connected, 'the reader is back');
    await eventually(async () => (await upstream(gateway)).waiting === 0, 'the centre has confirmed everything');
    const owed = (await gateway.journal()).filter(
      ({ kind, lane }) => lane !== null && (kind === 'message' || kind === 'alarm.raised'),
    );
    expect(owed.filter(({ kind }) => kind === 'message')).toHaveLength(80);
    await until(() => {
      const there = new Set(reader.events().map(({ event }) => event.id));
      return owed.every(({ id }) => there.has(id));
    }, 'everything is there');
    // Of the state of devices three days ago nobody wants to know (`upstream.expire`); even that is counted.
    for (const { body } of await gateway.entries('system.dropped')) expect(body['class']).toBe('device');
    const first = reader.events().findIndex(({ event }) => event.type === 'cn.quanwei.access.v1');
    const sos = reader.events().findIndex(({ event }) => event.type === 'cn.quanwei.alarm.raised.v1');
    expect(sos).toBeLessThan(first);
  }, 60_000);
});
