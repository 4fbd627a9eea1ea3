import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildProgram } from './build.mjs';
import { prepareCameras } from './cameras.mjs';
import { fetchModels } from './models.mjs';
import { installNodePackages } from './node-packages.mjs';
import { installSystemPackages, installUsefulPackages, PURPOSES } from './system-packages.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** @returns {Promise<number>} exit code: 0 ready, 1 something is missing, 2 wrong use */
export async function setUp(args, { root = ROOT, env = process.env } = {}) {
  let options;
  try {
    options = parseArgs({
      args,
      options: { for: { type: 'string', default: 'run' }, quiet: { type: 'boolean', default: false } },
    }).values;
  } catch (thrown) {
    console.error(thrown.message);
    return 2;
  }
  if (!PURPOSES.includes(options.for)) {
    console.error(`--for ${options.for}: expected one of ${PURPOSES.join(', ')}`);
    return 2;
  }
  const began = performance.now();
  // Progress goes to standard error: `npm run bench -- --json` keeps standard output for its figures.
  const say = options.quiet ? () => undefined : (line) => console.error(`[setup] ${line}`);
  const ci = env.CI === 'true' || env.CI === '1';

  // What makes the tests quicker takes the place of something they need, and so comes before it.
  if (options.for === 'test') await installUsefulPackages(options.for, { say, env });
  const missing = await installSystemPackages(options.for, { say, env });
  if (missing.length > 0) {
    console.error(`[setup] 缺少系统软件 / missing on this machine: ${missing.map((part) => part.name).join(', ')}`);
    if (ci) {
      console.error('[setup] CI=true: a missing part is a failure');
      return 1;
    }
  }
  await installNodePackages(root, { say, env });
  await buildProgram(root, { say });
  if (!(await fetchModels(root, { say, env }))) {
    console.error(
      '[setup] 缺少视觉模型，网关不受影响 / models for cameras are missing; the gateway works without them.',
    );
    console.error('[setup] 联网后运行 / once connected, run: node dist/main/cli.js models fetch');
    // A test of models without models would be no test.
    if (ci && (options.for === 'test' || options.for === 'bench')) {
      console.error('[setup] CI=true: a missing part is a failure');
      return 1;
    }
  }
  if (options.for === 'demo' || options.for === 'bench') await installUsefulPackages(options.for, { say, env });
  if (options.for === 'demo') await prepareCameras(root, { say, env });
  say(`ready for ${options.for} (${Math.round(performance.now() - began)} ms)`);
  return 0;
}
