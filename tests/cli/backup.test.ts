import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { draft, open } from '../journal/support.ts';
import { quanwei, quanweiJson } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';

const numbered = (n: number, first = 1) => Array.from({ length: n }, (_, i) => draft({ body: { n: first + i } }));

interface Made {
  file: string;
  head: number;
  removed: string[];
}

test('a backup made while the gateway writes brings back exactly what was acknowledged before it', async () => {
  const dir = dataDir();
  const to = join(dataDir(), 'another-disk');
  const journal = await open(dir);
  await journal.append(numbered(300));
  const made = await quanweiJson<Made>('backup', '--data', dir, '--to', to);
  expect(made).toMatchObject({ code: 0, value: { head: 300, removed: [] } });
  await journal.append(numbered(10, 301));

  const busy = await quanwei('restore', '--data', dir, '--to', to);
  expect(busy.code).toBe(1);
  expect(busy.stderr).toMatch(/^STORAGE_LOCKED/);
  await journal.close();

  const restored = await quanweiJson<{ file: string; head: number; setAside: string }>(
    'restore',
    '--data',
    dir,
    '--to',
    to,
  );
  expect(restored).toMatchObject({ code: 0, value: { file: made.value.file, head: 300 } });
  expect(existsSync(restored.value.setAside), 'what was there is kept').toBe(true);
  const again = await open(dir);
  expect(again.head()).toBe(300);
});

test('only as many backups are kept as asked for, the newest', async () => {
  const dir = dataDir();
  const to = join(dir, 'backups');
  const journal = await open(dir);
  const made: string[] = [];
  for (let i = 1; i <= 4; i += 1) {
    await journal.append(numbered(1, i));
    made.push((await quanweiJson<Made>('backup', '--data', dir, '--keep', '2')).value.file);
  }
  expect(
    readdirSync(to)
      .map((name) => join(to, name))
      .sort(),
  ).toEqual(made.slice(-2).sort());
  expect((await quanweiJson<Made>('restore', '--data', dataDir(), '--to', to)).value).toMatchObject({
    file: made.at(-1),
    head: 4,
  });
});

test('restore without any backup says so', async () => {
  const { code, stderr } = await quanwei('restore', '--data', dataDir());
  expect(code).toBe(1);
  expect(stderr).toMatch(/^NOT_FOUND: .*backups/);
});
