import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openForWriting } from '../../src/journal/database.ts';
import { migrate } from '../../src/journal/migrate.ts';
import { MIGRATIONS } from '../../src/journal/migrations/index.ts';
import type { Migration } from '../../src/journal/migrations/migration.ts';
import { dataDir } from '../support/data-dir.ts';
import { draft, open } from './support.ts';

const schemaOf = (db: Database.Database) =>
  db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all();

test('a database brought up to date step by step is the same as a fresh one', () => {
  const fresh = openForWriting(join(dataDir(), 'fresh.db'));
  migrate(fresh, 0);
  const stepwise = openForWriting(join(dataDir(), 'old.db'));
  MIGRATIONS.forEach((_, n) => {
    const { from, to } = migrate(stepwise, 0, MIGRATIONS.slice(0, n + 1));
    expect([from, to]).toEqual([MIGRATIONS[n - 1]?.version ?? 0, MIGRATIONS[n]?.version]);
  });
  expect(schemaOf(stepwise)).toEqual(schemaOf(fresh));
  fresh.close();
  stepwise.close();
});

test('entries of the first version are all there after every later step', async () => {
  const dir = dataDir();
  const file = join(dir, 'quanwei.db');
  const old = openForWriting(file);
  migrate(old, 0, MIGRATIONS.slice(0, 1));
  old.close();
  const journal = await open(dir);
  expect(journal.opened).toMatchObject({ fromVersion: 1, toVersion: MIGRATIONS.at(-1)?.version, setAside: null });
  await journal.append([draft()]);
  expect(journal.read({ limit: 9 })).toHaveLength(1);
});

test('of an alarm that was acknowledged before its waiting was kept, the last wait is known', () => {
  const db = openForWriting(join(dataDir(), 'old.db'));
  const answered = MIGRATIONS.findIndex(({ name }) => name === 'answered');
  migrate(db, 0, MIGRATIONS.slice(0, answered));
  const insert =
    db.prepare(`INSERT INTO alarms (id, live, raised_at, device, category, place, level, handling, condition,
    drill, replayed, count, entered, last_at, asked_at, acknowledged_at, escalations, revision, kind, channel, device_name,
    detail, evidence) VALUES (?, 0, 1000, 'a', 'sos', '', 1, 'closed', 'normal', 0, 0, 1, 1, 1000, 1000, ?, 0, 2, 'pulse',
    'device', 'A', '{}', '[]')`);
  for (const [id, acknowledged] of [
    ['answered', 61_000],
    ['never', null],
    ['clock stepped back', 900],
  ] as const) {
    insert.run(Buffer.from(id.padEnd(16).slice(0, 16)), acknowledged);
  }
  migrate(db, 0);
  expect(db.prepare('SELECT answered_ms FROM alarms ORDER BY n').pluck().all()).toEqual([60_000, null, null]);
  db.close();
});

test('a step that fails leaves the database as it was', () => {
  const db = openForWriting(join(dataDir(), 'x.db'));
  migrate(db, 0);
  const before = schemaOf(db);
  const broken: Migration = { version: 9_999, name: 'broken', sql: 'CREATE TABLE half (a); CREATE TABLE half (a);' };
  expect(() => migrate(db, 0, [...MIGRATIONS, broken])).toThrow(/half already exists/);
  expect(schemaOf(db)).toEqual(before);
  expect(migrate(db, 0).from).toBe(MIGRATIONS.at(-1)?.version);
  db.close();
});

test('a database of a newer program is refused and left alone', async () => {
  const dir = dataDir();
  const file = join(dir, 'quanwei.db');
  const db = openForWriting(file);
  migrate(db, 0, [...MIGRATIONS, { version: 9_999, name: 'future', sql: 'CREATE TABLE future (a)' }]);
  db.close();
  const bytes = readFileSync(file);
  await expect(open(dir)).rejects.toMatchObject({ code: 'STORAGE_NEWER' });
  expect(readFileSync(file).equals(bytes)).toBe(true);
  expect(readdirSync(dir).filter((name) => name.includes('damaged'))).toEqual([]);
});

test('a database of another program is refused and left alone', async () => {
  const dir = dataDir();
  const file = join(dir, 'quanwei.db');
  const db = new Database(file);
  db.exec('CREATE TABLE photographs (a)');
  db.close();
  await expect(open(dir)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  const after = new Database(file);
  expect(after.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['photographs']);
  after.close();
});

test('the files are numbered as they say, without gaps in order', () => {
  const dir = new URL('../../src/journal/migrations', import.meta.url);
  const numbered = readdirSync(dir).filter((name) => /^\d{3}-/.test(name));
  expect(numbered.map((name) => name.slice(0, -3))).toEqual(
    MIGRATIONS.map(({ version, name }) => `${String(version).padStart(3, '0')}-${name}`),
  );
});
