import type { Database } from 'better-sqlite3';
import { QuanweiError } from '../kernel/errors.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { Migration } from './migrations/migration.ts';

const VERSIONS = `CREATE TABLE versions (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  wall INTEGER NOT NULL
) STRICT`;

/** Versions a database has run, ascending; none for an empty file. */
export function versionsOf(db: Database): number[] {
  const known = db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'versions'`).get();
  if (known === undefined) return [];
  return db.prepare('SELECT version FROM versions ORDER BY version').pluck().all() as number[];
}

/**
 * @returns the highest version the database has run
 * @throws QuanweiError STORAGE_NEWER for a database of a later program, STORAGE_UNAVAILABLE for one of another program
 */
export function checkVersion(db: Database, migrations: readonly Migration[] = MIGRATIONS): number {
  const done = versionsOf(db);
  const newer = done.find((version) => !migrations.some((migration) => migration.version === version));
  if (newer !== undefined) {
    throw new QuanweiError(
      'STORAGE_NEWER',
      `the database has version ${newer}, this program knows ${latest(migrations)}`,
      {
        where: db.name,
        hint: 'install the newer program, or restore a backup made by this one',
      },
    );
  }
  if (done.length === 0 && db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined) {
    throw new QuanweiError('STORAGE_UNAVAILABLE', 'this database is not a journal of Quanwei', {
      where: db.name,
      hint: 'name another data directory',
    });
  }
  return done.at(-1) ?? 0;
}

/**
 * Brings a database up to date, each step in a transaction of its own with the row that records it.
 * @returns the versions before and after
 */
export function migrate(
  db: Database,
  wall: number,
  migrations: readonly Migration[] = MIGRATIONS,
): { from: number; to: number } {
  const from = checkVersion(db, migrations);
  const done = new Set(versionsOf(db));
  for (const { version, name, sql } of migrations) {
    if (done.has(version)) continue;
    db.transaction(() => {
      if (done.size === 0) db.exec(VERSIONS);
      db.exec(sql);
      db.prepare('INSERT INTO versions VALUES (?, ?, ?)').run(version, name, wall);
    }).immediate();
    done.add(version);
  }
  return { from, to: latest(migrations) };
}

const latest = (migrations: readonly Migration[]): number => migrations.at(-1)?.version ?? 0;
