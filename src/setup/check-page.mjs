// Types of the page. TypeScript 7 has no compiler that other programs can call yet, and Vue's checker needs one: it gets
// the last of the 5.x.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const page = join(dirname(fileURLToPath(import.meta.url)), '..', 'page');
process.argv.push('--noEmit', '--project', join(page, 'tsconfig.json'));
require('vue-tsc').run(require.resolve('typescript-5/lib/tsc'));
