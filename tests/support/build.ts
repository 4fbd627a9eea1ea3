import { fileURLToPath } from 'node:url';
import { buildProgram } from '../../src/setup/build.mjs';

/**
 * Builds `dist/` once before the tests: the tests that start real processes and threads run what is shipped. With the
 * set-up's own step, so that a test that installs the program finds nothing left to build under the others' feet.
 */
export default async function build(): Promise<void> {
  await buildProgram(fileURLToPath(new URL('../..', import.meta.url)), { say: () => undefined });
}
