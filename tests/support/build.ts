import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../../src/setup/build.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TESTS = join(ROOT, 'tests');
const BUILT = Symbol.for('quanwei.tests.built');

/**
 * Builds `dist/` once before the tests: the tests that start real processes and threads run what is shipped. With the
 * set-up's own step, so that a test that installs the program finds nothing left to build under the others' feet. What
 * tests run as processes of their own, `tests/**` + `/*.program.mjs`, is bundled in the same way into `dist/tests`.
 */
async function build(): Promise<void> {
  await buildProgram(ROOT, { say: () => undefined });
  const programs = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.program.mjs'),
  );
  const { bundle } = await import('../../src/setup/bundle.mjs');
  await bundle(
    programs.map((file) => join(TESTS, file)),
    TESTS,
    join(ROOT, 'dist', 'tests'),
  );
}

/** Of all projects of a run together: each asks, the first one builds. */
export default function once(): Promise<void> {
  const run = globalThis as { [BUILT]?: Promise<void> };
  run[BUILT] ??= build();
  return run[BUILT];
}
