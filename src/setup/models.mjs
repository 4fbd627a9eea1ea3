import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { show } from './run.mjs';

/**
 * The models cameras need, by the program's own `models fetch`; only when something changed since.
 * @returns {Promise<boolean>} whether they are all there
 */
export async function fetchModels(root, { say, env }) {
  const program = join(root, 'dist', 'main', 'cli.js');
  // Without a build there is nothing to fetch with; the build says by itself what is wrong.
  if (!existsSync(program)) return true;
  const kept = env.QUANWEI_MODELS_DIR || join(root, 'models', 'cache');
  const stampFile = join(root, 'node_modules', '.quanwei-models');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stampOf(root, kept)) return true;
  say('models …');
  const code = await show(process.execPath, [program, 'models', 'fetch', '--quiet'], { cwd: root, env });
  if (code !== 0) return false;
  writeFileSync(stampFile, stampOf(root, kept));
  return true;
}

/** Of the entries, the program that fetches, and what lies where the models are kept. */
function stampOf(root, kept) {
  const digest = createHash('sha256');
  const built = join(root, 'dist', '.built-from');
  if (existsSync(built)) digest.update(readFileSync(built));
  for (const name of readdirSync(join(root, 'models')).sort()) {
    if (name.endsWith('.yaml')) digest.update(readFileSync(join(root, 'models', name)));
  }
  digest.update(`${kept}\n`);
  for (const name of existsSync(kept) ? readdirSync(kept).sort() : []) {
    if (!/\.(onnx|json)$/.test(name)) continue;
    const { size, mtimeMs } = statSync(join(kept, name));
    digest.update(`${name} ${size} ${mtimeMs}\n`);
  }
  return `${digest.digest('hex')}\n`;
}
