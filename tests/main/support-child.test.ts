import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { supportMaker } from '../../src/main/support-child.ts';
import { dataDir } from '../support/data-dir.ts';

const PROGRAM = `
import { writeFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
const [command, ...args] = process.argv.slice(2);
if (args.includes('--fail')) throw new Error('no room');
const file = args[args.indexOf('--out') + 1];
writeFileSync(file, JSON.stringify({ command, args, heap: getHeapStatistics().heap_size_limit }));
`;

test('whatever makes the bundle has a bounded heap, is one at a time, and says why when it fails', async () => {
  const program = join(dataDir(), 'program.mjs');
  writeFileSync(program, PROGRAM);
  const make = supportMaker(program, ['--data', '/nowhere']);
  const made = make();
  await expect(make()).rejects.toMatchObject({ code: 'CONFLICT' });
  const said = JSON.parse((await made).toString());
  expect(said).toMatchObject({ command: 'support-bundle', args: ['--data', '/nowhere', '--out', expect.any(String)] });
  expect(said.heap).toBeLessThan(256 * 1024 * 1024);
  await expect(supportMaker(program, ['--fail'])()).rejects.toThrow('no room');
});
