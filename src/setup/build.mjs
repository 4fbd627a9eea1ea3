import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { show } from './run.mjs';

/** `dist/` from `src/`, only when a source changed since. */
export async function buildProgram(root, { say }) {
  const stampFile = join(root, 'dist', '.built-from');
  const stamp = sourcesOf(root);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('building …');
  const code = await show('npm', ['run', '--silent', 'build'], { cwd: root });
  if (code !== 0) throw new Error(`the build ended with ${code}`);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** A digest of every path, size and modification time the build reads. */
function sourcesOf(root) {
  const digest = createHash('sha256');
  const visit = (path) => {
    const about = statSync(join(root, path));
    if (about.isDirectory()) {
      for (const name of readdirSync(join(root, path)).sort()) visit(`${path}/${name}`);
    } else digest.update(`${path} ${about.size} ${about.mtimeMs}\n`);
  };
  for (const path of ['src', 'device-profiles', 'package.json', 'package-lock.json']) visit(path);
  return `${digest.digest('hex')}\n`;
}
