import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('../', import.meta.url);
const page = readFileSync(new URL('docs/faults.md', ROOT), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| 故障'));
const named = (text: string): string[] =>
  [...text.matchAll(/`(tests\/[^`]+\.test\.ts)`/g)].map(([, file]) => file ?? '');

test('every fault of the page names its tests, and they are there', () => {
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    const files = named(row.split('|').at(-2) ?? '');
    expect(files.length, row).toBeGreaterThan(0);
    for (const file of files) expect(existsSync(new URL(file, ROOT)), file).toBe(true);
  }
});

test('every test of the shipped program is on the page', () => {
  const files = readdirSync(new URL('tests/gateway/', ROOT)).filter((name) => name.endsWith('.test.ts'));
  for (const file of files) expect(named(page)).toContain(`tests/gateway/${file}`);
});
