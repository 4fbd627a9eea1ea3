import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const pages = [
  join(ROOT, 'README.md'),
  join(ROOT, 'README.zh.md'),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(ROOT, 'docs', name)),
];

test('every link and picture of the documentation leads somewhere', () => {
  const broken = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)]
      .map((match) => (match[1] ?? match[2] ?? '').replace(/#.*$/, ''))
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(dirname(page), target)))
      .map((target) => `${relative(ROOT, page)} → ${target}`),
  );
  expect(broken).toEqual([]);
});

test('both READMEs name the same commands, in the same order', () => {
  const commands = (page: string) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^(?:npm|sudo|quanwei) .*?(?= {2,}#|$)/gm)].map(([line]) =>
      line.trim(),
    );
  const english = commands('README.md');
  expect(english).toContain('npm test');
  expect(english).toContain('npm run demo');
  expect(commands('README.zh.md')).toEqual(english);
});

test('every command the documentation shows is one that exists', async () => {
  const { stdout } = await import('./support/command.ts').then(({ quanwei }) => quanwei('--help'));
  const known = new Set([...stdout.matchAll(/^ {2}([a-z][a-z-]+)(?: |$)/gm)].map((match) => match[1]));
  for (const page of pages) {
    for (const [, name] of readFileSync(page, 'utf8').matchAll(/(?:`|^|sudo )quanwei ([a-z][a-z-]+)/gm)) {
      expect(known, `${relative(ROOT, page)}: quanwei ${name}`).toContain(name);
    }
  }
});
