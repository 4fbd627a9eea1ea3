import { fileURLToPath } from 'node:url';

/** A `*.program.mjs` of the tests, bundled as the program itself is (`build.ts`). @param path below `tests/` */
export const program = (path: string): string =>
  fileURLToPath(new URL(`../../dist/tests/${path}.program.js`, import.meta.url));
