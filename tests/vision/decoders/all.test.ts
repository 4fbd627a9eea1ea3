import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadDecoder } from '../../../src/vision/inference/decoders.ts';

const files = readdirSync(new URL('../../../src/vision/decoders', import.meta.url))
  .map((file) => file.replace(/\.ts$/, ''))
  .filter((name) => name !== 'decoder');

test.each(files)('%s is a decoder by being there, and is held to the suite', async (name) => {
  expect(await loadDecoder(name)).toMatchObject({ task: expect.any(String), prepare: expect.any(Function) });
  expect(existsSync(new URL(`./${name}.test.ts`, import.meta.url))).toBe(true);
});

test.each(['nothing', 'decoder', '../suppression', '', 'nanodet.ts', 'constructor'])(
  'there is no decoder `%s`: an error that names it',
  async (name) => {
    await expect(loadDecoder(name)).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: `there is no decoder \`${name}\``,
    });
  },
);
