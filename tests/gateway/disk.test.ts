import { appendFileSync, closeSync, openSync, readdirSync, rmSync, statfsSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canMount, failingDisk, smallDisk } from '../journal/mount.ts';
import { dataDir } from '../support/data-dir.ts';
import type { GatewayProcess, JournalEntry } from '../support/gateway-process.ts';
import { device, eventually, gatewayOf, hubOf, login, openAlarms } from './compound.ts';

interface System {
  readonly state: { readonly storage: { readonly ok: boolean; readonly problem: string | null } };
  readonly lastStart: { readonly setAside: string | null };
}

const system = async (gateway: GatewayProcess): Promise<System> => (await gateway.api('/api/system')) as System;

async function health(gateway: GatewayProcess): Promise<{ status: number; reasons: string[] }> {
  const answer = await fetch(`http://127.0.0.1:${gateway.ports.http}/healthz`);
  return { status: answer.status, ...((await answer.json()) as { reasons: string[] }) };
}

/** Somebody else's file takes all the room there is, and grows when there is more. */
function fill(dir: string): string {
  const file = join(dir, 'somebody-elses');
  for (let piece = 1024 * 1024; piece >= 4_096; piece /= 2) {
    for (;;) {
      const { bavail, bsize } = statfsSync(dir);
      if (bavail * bsize < piece) break;
      try {
        appendFileSync(file, Buffer.alloc(piece));
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown;
        break; // the gateway was faster
      }
    }
  }
  return file;
}

/** A gateway whose data, and nothing else, is on that disk. */
async function gatewayOn(disk: string): Promise<GatewayProcess> {
  const dir = dataDir();
  symlinkSync(disk, join(dir, 'data'));
  const gateway = await gatewayOf({ devices: hubOf(50), retention: { minFree: '1MB' } }, {}, dir);
  await gateway.start();
  await gateway.api('/api/system'); // signed in while that can be stored
  return gateway;
}

const press = (n: number) =>
  JSON.stringify({ action: 'emergency', last_seen: new Date(1.7e12 + n * 1_000).toISOString() });
const sent = ({ body }: JournalEntry) => (JSON.parse(String(body['raw'])) as { last_seen: string }).last_seen;

describe.runIf(canMount())('the disk', () => {
  test('full: it gives up the least missed records, counted, or gives no PUBACK; with room again it goes on, and no alarm is lost', async () => {
    const disk = smallDisk(24);
    const gateway = await gatewayOn(disk);
    let hub = await login(gateway, 'hub-1');
    const acknowledged: number[] = [];
    let refused = 0;
    /** As a device does it: the same press until it is acknowledged. */
    const insist = async (n: number) => {
      try {
        await hub.published(`zigbee2mqtt/sos-${n % 50}`, press(n));
        acknowledged.push(n);
        return true;
      } catch {
        refused += 1; // the connection was closed, without a PUBACK
        hub = await login(gateway, 'hub-1');
        return false;
      }
    };
    const given = async () =>
      (await gateway.entries('system.dropped')).reduce((sum, { body }) => sum + Number(body['count'] ?? 0), 0);
    let next = 0;
    while (next < 50) if (await insist(next)) next += 1;
    expect(refused).toBe(0);
    expect(await given()).toBe(0);
    let filler = '';
    // Whether it can make room at once or must refuse first is a race with whoever fills the disk: either is right.
    await eventually(
      async () => {
        filler = fill(disk);
        if (await insist(next)) next += 1;
        const found = await health(gateway);
        if (found.status === 503) expect(found.reasons.join()).not.toBe('');
        return refused > 0 || (await given()) > 0;
      },
      'the full disk is felt',
      60_000,
    );
    expect(await openAlarms(gateway)).toHaveLength(50);

    rmSync(filler);
    await eventually(() => gateway.healthy(), 'it goes on by itself');
    await eventually(() => insist(next), 'what was refused is taken');
    await eventually(async () => (await system(gateway)).state.storage.ok, 'the page says so');

    const open = await openAlarms(gateway);
    expect(open).toHaveLength(50);
    // Every press that was acknowledged is counted by its alarm, and none twice.
    expect(open.reduce((sum, { count }) => sum + count, 0)).toBe(acknowledged.length);
    const journal = await gateway.journal();
    const messages = journal.filter(({ kind }) => kind === 'message').map(sent);
    expect(new Set(messages).size).toBe(messages.length);
    // Records may have been given up to make room for alarms; then that is counted.
    const dropped = journal
      .filter(({ kind }) => kind === 'system.dropped')
      .reduce((sum, { body }) => sum + Number(body['count'] ?? 0), 0);
    expect(messages.length + dropped).toBeGreaterThanOrEqual(acknowledged.length);
    expect(journal.some(({ kind }) => kind === 'system.storage')).toBe(true);
    expect((await gateway.run('verify', '--data', gateway.data, '--json')).code).toBe(0);
  }, 90_000);

  test('turns read-only under way: no PUBACK, told, nothing acknowledged lost, and all is well once it is mended', async () => {
    const disk = failingDisk();
    const gateway = await gatewayOn(disk.dir);
    const hub = await login(gateway, 'hub-1');
    for (let n = 0; n < 20; n += 1) await hub.published(`zigbee2mqtt/sos-${n}`, press(n));
    disk.fail();
    await expect(hub.published('zigbee2mqtt/sos-30', press(30))).rejects.toThrow('connection closed');
    expect((await health(gateway)).status).toBe(503);
    const { storage } = (await system(gateway)).state;
    expect(storage).toMatchObject({ ok: false, problem: expect.stringMatching(/./) });
    expect(await openAlarms(gateway)).toHaveLength(20);
    await gateway.kill();

    disk.mend();
    await gateway.start();
    const back = await login(gateway, 'hub-1');
    await back.published('zigbee2mqtt/sos-30', press(30));
    const open = await openAlarms(gateway);
    expect(open).toHaveLength(21);
    for (const { count } of open) expect(count).toBe(1);
    expect((await gateway.entries('message')).map(sent)).toHaveLength(21);
  }, 60_000);
});

test('a database that is no database at start: set aside whole, reported, and the gateway takes alarms', async () => {
  const gateway = await gatewayOf({ devices: [device('sos-1', 'zigbee-sos-button')] });
  await gateway.start();
  const button = await login(gateway, 'sos-1');
  await button.published('zigbee2mqtt/sos-1', press(1));
  await gateway.stop();
  const file = openSync(join(gateway.data, 'quanwei.db'), 'r+');
  writeSync(file, Buffer.alloc(8_192, 0xa5), 0, 8_192, 0);
  closeSync(file);

  await gateway.start();
  const { setAside } = (await system(gateway)).lastStart;
  expect(setAside).not.toBeNull();
  expect(readdirSync(gateway.data, { recursive: true }).join()).toContain(String(setAside).split('/').at(-1));
  expect(await gateway.entries('system.storage')).toMatchObject([{ body: { what: 'set aside' } }]);
  const again = await login(gateway, 'sos-1');
  await again.published('zigbee2mqtt/sos-1', press(2));
  expect(await openAlarms(gateway)).toMatchObject([{ device: 'sos-1', count: 1 }]);
  expect(await gateway.healthy()).toBe(true);
});
