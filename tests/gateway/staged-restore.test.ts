import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { GatewayProcess } from '../support/gateway-process.ts';

interface Report {
  readonly id: string;
}

/** A gateway of its own, its first word said and backed up, a second said since, and the backup asked to be put back. */
async function asked() {
  const gateway = await GatewayProcess.prepare(dataDir(), {});
  onTestFinished(() => gateway.kill());
  await gateway.start();
  const tell = async (text: string) =>
    (await gateway.api('/api/alarms/report', {
      channel: 'phone',
      category: 'report.resident',
      place: '1号楼',
      text,
    })) as Report;
  const kept = await tell('备份之前');
  await gateway.api('/api/system/backup', {});
  const lost = await tell('备份之后');
  const { backups } = (await gateway.api('/api/backups')) as { backups: { name: string }[] };
  const name = backups[0]?.name ?? '';
  await gateway.api(`/api/backups/${name}/restore`, { confirm: true });
  const open = async () =>
    ((await gateway.api('/api/alarms')) as { alarms: { id: string }[] }).alarms.map(({ id }) => id).sort();
  const outcome = async () =>
    (await gateway.entries('system.backup')).filter(({ body }) => String(body['what']).startsWith('restore')).at(-1);
  return { gateway, kept, lost, name, open, outcome };
}

test('a backup that was asked back on the page is in force after a power cut and the next start, and the journal says so', async () => {
  const { gateway, kept, lost, name, open, outcome } = await asked();
  expect(await open()).toEqual([kept.id, lost.id].sort());
  await gateway.kill();
  await gateway.start();
  expect(await open()).toEqual([kept.id]);
  const told = await outcome();
  expect(told).toMatchObject({
    actor: 'user:admin',
    body: { what: 'restored', file: expect.stringContaining(name), why: null },
  });
  // The wish itself was made after the backup: it is in the journal that was set aside.
  expect((await gateway.entries('system.backup')).map(({ body }) => body['what'])).toEqual(['restored']);
  expect(existsSync(String(told?.body['setAside']))).toBe(true);
  expect(readdirSync(gateway.data).filter((one) => /restor(e|ing)|replacing/.test(one))).toEqual([]);
  const { code } = await gateway.run('verify', '--data', gateway.data);
  expect(code).toBe(0);
  // Done once: what comes after it stays.
  await gateway.stop();
  await gateway.start();
  expect((await gateway.entries('system.backup')).map(({ body }) => body['what'])).toEqual(['restored']);
});

test('a backup that has gone by the next start leaves the journal that is there, which says why, and the gateway runs', async () => {
  const { gateway, kept, lost, open, outcome } = await asked();
  await gateway.stop();
  rmSync(join(gateway.data, 'backups'), { recursive: true });
  await gateway.start();
  expect(await open()).toEqual([kept.id, lost.id].sort());
  expect(await outcome()).toMatchObject({
    body: { what: 'restore failed', setAside: null, why: expect.stringContaining('no such backup') },
  });
});
