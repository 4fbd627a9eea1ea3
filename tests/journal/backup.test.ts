import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { backup, backupsIn, restore } from '../../src/journal/backup.ts';
import { contentKey } from '../../src/journal/journal.ts';
import { verify } from '../../src/journal/maintenance.ts';
import { dataDir } from '../support/data-dir.ts';
import { draft, newStart, open, verified } from './support.ts';

test('a backup under load is whole: a prefix of the journal whose chain verifies', async () => {
  const dir = dataDir();
  const clock = newStart();
  const journal = await open(dir, clock);
  for (let n = 0; n < 5; n += 1) await journal.append(Array.from({ length: 1_000 }, (_, i) => draft({ body: [n, i] })));
  let going = true;
  const load = (async () => {
    for (let n = 0; going; n += 1) await journal.append([draft({ body: { load: n } })]);
  })();
  const made = await backup({ dir, keep: 3, clock });
  going = false;
  await load;
  expect(made.head).toBeGreaterThanOrEqual(5_000);
  expect(readdirSync(join(dir, 'backups'))).toEqual([made.file.split('/').at(-1)]);

  const elsewhere = dataDir();
  expect(await restore({ file: made.file, dir: elsewhere, clock })).toEqual({ setAside: null, head: made.head });
  const restored = await open(elsewhere);
  expect(restored.opened.setAside).toBeNull();
  expect(restored.read({ after: made.head - 3, limit: 9 })).toStrictEqual(
    journal.read({ after: made.head - 3, before: made.head + 1, limit: 9 }),
  );
  expect((await restored.append([draft()]))[0]?.seq).toBe(made.head + 1);
  expect(verified(elsewhere)).toMatchObject({ broken: null, entries: made.head + 1 });
});

test('only so many backups are kept, the newest', async () => {
  const dir = dataDir();
  const to = dataDir();
  const clock = newStart();
  const journal = await open(dir, clock);
  writeFileSync(join(to, 'somebody-elses.db'), 'stays');
  const made: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    await journal.append([draft()]);
    clock.advance(n === 2 ? 0 : 3_600_000); // two in one second, too
    made.push((await backup({ dir, to, keep: 2, clock })).file);
  }
  expect(new Set(made).size).toBe(5);
  expect(backupsIn(to)).toEqual(made.slice(-2));
  expect(existsSync(join(to, 'somebody-elses.db'))).toBe(true);
});

test('a journal that is not sound makes no backup and costs none of the older ones', async () => {
  const dir = dataDir();
  const clock = newStart();
  const journal = await open(dir, clock);
  await journal.append(Array.from({ length: 3 }, () => draft()));
  const good = await backup({ dir, keep: 1, clock });
  const db = new Database(join(dir, 'quanwei.db'));
  db.exec(`UPDATE entries SET actor = 'user:mallory' WHERE seq = 2`);
  db.close();
  clock.advance(60_000);
  await expect(backup({ dir, keep: 1, clock })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
  expect(readdirSync(join(dir, 'backups'))).toEqual([good.file.split('/').at(-1)]);
});

test('restoring sets aside what was there and brings back what is in the backup', async () => {
  const dir = dataDir();
  const clock = newStart();
  const first = await open(dir, clock);
  const key = contentKey('d', 'kept');
  await first.append([draft({ body: 'kept', key })]);
  const { file } = await backup({ dir, keep: 3, clock });
  await first.append([draft({ body: 'after the backup' })]);
  await expect(restore({ file, dir, clock })).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
  await first.close();

  const { setAside } = await restore({ file, dir, clock });
  expect(setAside).toMatch(/quanwei\.db\.replaced-/);
  expect(readFileSync(setAside as string).includes('after the backup')).toBe(true);
  const second = await open(dir);
  expect(second.read({ limit: 9 }).map(({ body }) => body)).toEqual(['kept']);
  expect(second.seen(key)).toBe(true);
});

test('a damaged or missing backup changes nothing', async () => {
  const dir = dataDir();
  const clock = newStart();
  const journal = await open(dir, clock);
  await journal.append([draft({ body: 'here' })]);
  const { file } = await backup({ dir, keep: 3, clock });
  await journal.close();
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 4_096 * 3, 4_096 * 6);
  const broken = join(dataDir(), 'broken.db');
  writeFileSync(broken, bytes);
  await expect(restore({ file: broken, dir, clock })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
  await expect(restore({ file: `${file}x`, dir, clock })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(readdirSync(dir).filter((name) => /replaced|restoring/.test(name))).toEqual([]);
  expect((await open(dir)).entry(1)?.body).toBe('here');
});

test('a restore that was cut short is noticed, not taken for an empty box', async () => {
  const dir = dataDir();
  writeFileSync(join(dir, 'quanwei.db.restoring'), 'half');
  await expect(open(dir)).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    hint: expect.stringContaining('restore'),
  });
});

test('verify names the first entry that does not hold, beside a running gateway', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  await journal.append(Array.from({ length: 20 }, (_, n) => draft({ body: n })));
  expect(await verify(dir)).toMatchObject({ entries: 20, head: 20, broken: null, damage: null });
  await journal.write([{ sql: `UPDATE entries SET body = '"forged"' WHERE seq IN (12, 15)`, params: [] }]);
  expect(await verify(dir)).toMatchObject({ broken: { seq: 12 } });
  await expect(verify(dataDir())).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
