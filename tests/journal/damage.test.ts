import { copyFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { contentKey, type Journal } from '../../src/journal/journal.ts';
import { dataDir } from '../support/data-dir.ts';
import { draft, newStart, open, until, verified } from './support.ts';

const PAGE = 4_096;

async function filled(dir: string, entries: number): Promise<void> {
  const journal = await open(dir);
  await journal.append(Array.from({ length: entries }, (_, n) => draft({ body: { n, text: 'y'.repeat(400) } })));
  await journal.close();
}

/** As a power cut leaves it: the orderly end is not recorded. */
function cutShort(file: string): void {
  const db = new Database(file);
  db.exec('UPDATE boots SET stopped = NULL');
  db.close();
}

function expectSetAside(journal: Journal, dir: string, bytes: Buffer): void {
  const { setAside } = journal.opened;
  expect(setAside).toMatch(/quanwei\.db\.damaged-\d{8}T\d{6}Z$/);
  expect(readFileSync(setAside as string).equals(bytes)).toBe(true);
  expect(journal.read({ limit: 9 })).toMatchObject([
    { kind: 'system.storage', actor: 'system', body: { what: 'set aside', file: setAside } },
  ]);
  expect(verified(dir)).toMatchObject({ entries: 1, broken: null });
}

test('a file that is no database is set aside whole, reported and journalled', async () => {
  const dir = dataDir();
  const file = join(dir, 'quanwei.db');
  const noise = Buffer.from('not a database at all, but long enough to be looked at. '.repeat(100));
  writeFileSync(file, noise);
  expectSetAside(await open(dir), dir, noise);
});

test('a damaged page is found after a power cut, and nothing of the file is lost', async () => {
  const dir = dataDir();
  const file = join(dir, 'quanwei.db');
  await filled(dir, 400);
  cutShort(file);
  const bytes = readFileSync(file);
  bytes.fill(0xa5, 20 * PAGE, 21 * PAGE);
  writeFileSync(file, bytes);
  const journal = await open(dir);
  expectSetAside(journal, dir, bytes);
  expect((await journal.append([draft()]))[0]?.seq).toBe(2);
});

test('a truncated file is set aside', async () => {
  const dir = dataDir();
  const file = join(dir, 'quanwei.db');
  await filled(dir, 400);
  truncateSync(file, 30 * PAGE);
  const bytes = readFileSync(file);
  expectSetAside(await open(dir), dir, bytes);
});

test('an entry changed behind our back is found in the newest part at every start', async () => {
  const dir = dataDir();
  const file = join(dir, 'quanwei.db');
  await filled(dir, 50);
  const db = new Database(file);
  db.prepare('UPDATE entries SET body = ? WHERE seq = 49').run('{"n":"forged"}');
  db.close();
  const bytes = readFileSync(file);
  const journal = await open(dir);
  expect(journal.opened.damage).toContain('entry 49');
  expectSetAside(journal, dir, bytes);
});

test('damage of the table of content keys is found at the start, and set aside too', async () => {
  const dir = dataDir();
  const file = join(dir, 'quanwei.db');
  const first = await open(dir);
  const drafts = Array.from({ length: 1_000 }, (_, n) =>
    draft({ key: Buffer.alloc(16, n).toString('hex'), body: 'k' }),
  );
  for (let n = 0; n < 9; n += 1) await first.append(drafts);
  await first.close();
  const db = new Database(file);
  const page = db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'key_runs'`).pluck().get() as number;
  db.close();
  const bytes = readFileSync(file);
  bytes.fill(0xa5, (page - 1) * PAGE, page * PAGE);
  writeFileSync(file, bytes);
  expectSetAside(await open(dir), dir, bytes);
});

test('content keys that cannot be read are told as damage; all the others are known', async () => {
  const dir = dataDir();
  const file = join(dir, 'quanwei.db');
  const first = await open(dir);
  await first.append(Array.from({ length: 5 }, (_, n) => draft({ key: contentKey('d', String(n)), body: n })));
  await first.close();
  const db = new Database(file);
  const run = db.prepare('INSERT INTO key_runs VALUES (?, ?)');
  for (const n of [1, 2, 3]) run.run(n, Buffer.alloc(16 * 8_192, n));
  db.close();
  const bytes = readFileSync(file);
  const isOfTheSecond = (page: number) =>
    bytes.subarray(page * PAGE + 100, (page + 1) * PAGE).every((byte) => byte === 2);
  const chain = Array.from({ length: bytes.length / PAGE }, (_, page) => page).filter(isOfTheSecond);
  // Where the next page of it lies.
  bytes.writeUInt32BE(0xff_ff_ff, (chain[3] as number) * PAGE);
  writeFileSync(file, bytes);

  const journal = await open(dir);
  expect(journal.opened.setAside).toBeNull();
  expect(journal.state().damage).toContain('content keys');
  const known = (n: number) => journal.seen(Buffer.alloc(16, n).toString('hex'));
  expect([known(1), known(3), journal.seen(contentKey('d', '4'))]).toEqual([true, true, true]);
  const damaged = () => journal.read({ limit: 10, kinds: ['system.storage'] }).map(({ body }) => body);
  await until(() => damaged().length > 0, 'the entry about it');
  expect(damaged()).toMatchObject([{ what: 'damaged' }]);
});

test('a second damaged file never takes the place of the first', async () => {
  const dir = dataDir();
  for (let n = 0; n < 3; n += 1) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(dir, `quanwei.db${suffix}`), { force: true });
    writeFileSync(join(dir, 'quanwei.db'), `noise ${n} `.repeat(1_000));
    const journal = await open(dir);
    await journal.close();
  }
  const aside = readdirSync(dir).filter((name) => name.includes('.damaged-'));
  expect(aside.map((name) => readFileSync(join(dir, name), 'utf8').slice(0, 7)).sort()).toEqual([
    'noise 0',
    'noise 1',
    'noise 2',
  ]);
});

test('a log without its database is set aside, not buried', async () => {
  const dir = dataDir();
  writeFileSync(join(dir, 'quanwei.db-wal'), 'the newest commits');
  const journal = await open(dir);
  const aside = `${journal.opened.setAside}-wal`;
  expect(readFileSync(aside, 'utf8')).toBe('the newest commits');
});

test('the commits in the log of a killed gateway stay in the log that is set aside', async () => {
  const dir = dataDir();
  const other = dataDir();
  const file = join(dir, 'quanwei.db');
  await filled(dir, 400);
  const journal = await open(dir);
  await journal.append([draft({ body: 'only in the log' })]);
  for (const suffix of ['', '-wal']) copyFileSync(file + suffix, join(other, `quanwei.db${suffix}`));
  const bytes = readFileSync(join(other, 'quanwei.db'));
  bytes.fill(0xff, 20 * PAGE, 21 * PAGE);
  writeFileSync(join(other, 'quanwei.db'), bytes);
  const second = await open(other);
  expect(readFileSync(second.opened.setAside as string).equals(bytes)).toBe(true);
  expect(readFileSync(`${second.opened.setAside}-wal`).includes('only in the log')).toBe(true);
});

test('a large database is examined beside its use after a power cut, and damage is told', async () => {
  const dir = dataDir();
  const file = join(dir, 'quanwei.db');
  const first = await open(dir);
  for (let n = 0; n < 20; n += 1) {
    await first.append(Array.from({ length: 100 }, () => draft({ body: 'z'.repeat(20_000) })));
  }
  await first.close();
  cutShort(file);
  const bytes = readFileSync(file);
  bytes.fill(0xa5, 3_000 * PAGE, 3_001 * PAGE);
  writeFileSync(file, bytes);

  const clock = newStart();
  const journal = await open(dir, clock);
  expect(journal.opened).toMatchObject({ setAside: null, unclean: true, checkLater: true });
  const told: (string | null)[] = [];
  journal.onState(({ damage }) => told.push(damage));
  expect((await journal.append([draft()]))[0]?.seq).toBe(2_001);
  clock.advance(30_000);
  await until(() => journal.read({ limit: 1, kinds: ['system.storage'] }).length > 0, 'the entry about it');
  expect(journal.read({ limit: 1, kinds: ['system.storage'] })[0]?.body).toMatchObject({ what: 'damaged' });
  expect(journal.state().damage).not.toBeNull();
  expect(told).toEqual([journal.state().damage]);
});
