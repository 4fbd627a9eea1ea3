import { once } from 'node:events';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { databaseFile } from '../../src/journal/database.ts';
import type { Entry } from '../../src/journal/entry.ts';
import { draft, open } from '../journal/support.ts';
import { CLI, finished, quanwei, quanweiJson, start } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';

const numbered = (n: number, first = 1) => Array.from({ length: n }, (_, i) => draft({ body: { n: first + i } }));

async function printed(dir: string, ...args: string[]): Promise<Entry[]> {
  const { code, stdout, stderr } = await quanwei('journal', '--data', dir, '--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
}

test('prints every entry, in order, while the gateway has the journal open', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  const stored = await journal.append(numbered(1_000));
  expect(await printed(dir)).toEqual(stored.map((entry) => expect.objectContaining({ ...entry })));
  // What is committed meanwhile is there at the next call.
  await journal.append(numbered(1, 1_001));
  expect((await printed(dir, '--from', '1000')).map(({ seq }) => seq)).toEqual([1_000, 1_001]);
});

test('prints only the kinds, the subject and the number asked for', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  await journal.append([
    { kind: 'alarm.raised', actor: 'system', subject: 'a1', body: {} },
    { kind: 'alarm.acknowledged', actor: 'user:li', subject: 'a1', body: {} },
    { kind: 'alarm.raised', actor: 'system', subject: 'a2', body: {} },
    { kind: 'device.state', actor: 'system', subject: 'a1', body: {} },
    ...numbered(3),
  ]);
  const seqs = async (...args: string[]) => (await printed(dir, ...args)).map(({ seq }) => seq);
  expect(await seqs('--kind', 'alarm.raised')).toEqual([1, 3]);
  expect(await seqs('--kind', 'alarm')).toEqual([1, 2, 3]);
  expect(await seqs('--kind', 'alarm.raised', '--kind', 'device')).toEqual([1, 3, 4]);
  expect(await seqs('--kind', 'alarm', '--subject', 'a1')).toEqual([1, 2]);
  expect(await seqs('--from', '2', '--limit', '3')).toEqual([2, 3, 4]);
  expect(await seqs('--newest', '2')).toEqual([6, 7]);
  expect(await seqs('--kind', 'alarm', '--newest', '2')).toEqual([2, 3]);
  expect(await seqs('--from', '99')).toEqual([]);
});

test('ends quietly when its reader goes away', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  await journal.append(numbered(20_000));
  const child = start(process.execPath, [CLI, 'journal', '--data', dir, '--json']);
  const ended = finished(child);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  await once(lines, 'line');
  child.stdout?.destroy();
  const { code, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('a person gets one short line an entry', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  await journal.append([{ kind: 'unknown', actor: 'device:x', subject: 'x', body: { text: 'z'.repeat(5_000) } }]);
  const { stdout } = await quanwei('journal', '--data', dir);
  expect(stdout).toMatch(/^1 {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}unknown {2}x {2}device:x {2}\{"text":"z+…\n$/);
  expect(stdout.length).toBeLessThan(300);
});

interface Verified {
  ok: boolean;
  entries: number;
  broken: { seq: number } | null;
  damage: string | null;
}

test('verify finds the entry that somebody changed in the file', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  await journal.append(numbered(50));
  expect(await quanweiJson<Verified>('verify', '--data', dir)).toMatchObject({
    code: 0,
    value: { ok: true, entries: 50, broken: null },
  });
  await journal.close();

  const db = new Database(databaseFile(dir));
  expect(db.prepare(`UPDATE entries SET body = '{"n":0}' WHERE seq = 33`).run().changes).toBe(1);
  db.close();
  expect(await quanweiJson<Verified>('verify', '--data', dir)).toMatchObject({
    code: 1,
    value: { ok: false, broken: { seq: 33 } },
  });
  const told = await quanwei('verify', '--data', dir);
  expect(told.code).toBe(1);
  expect(told.stdout).toContain('第 33 条');
  expect(told.stdout).toContain('at entry 33');
});
