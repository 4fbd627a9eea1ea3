import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERRORS } from '../src/kernel/errors.ts';

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');

test('the page of errors lists exactly the codes the program raises, each as the program describes it', () => {
  const listed = [...page.matchAll(/^\| `([A-Z_]+)` \| (\w+) \| (\d+) \| (.+?) \| (.+) \|$/gm)].map(
    ([, code, family, http, text]) => ({ code, family, http: Number(http), text }),
  );
  expect(listed).toEqual(Object.entries(ERRORS).map(([code, about]) => ({ code, ...about })));
});

test('every code says what to do, in Chinese and in English', () => {
  for (const code of Object.keys(ERRORS)) {
    const advice = page
      .split('\n')
      .find((line) => line.startsWith(`| \`${code}\` |`))
      ?.split('|')[5];
    expect(advice, code).toMatch(/[\u4e00-\u9fff]/);
    expect(advice, code).toMatch(/[A-Za-z]{4,}/);
  }
});
