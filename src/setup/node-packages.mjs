import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { show, succeeds } from './run.mjs';
import { installCompiler } from './system-packages.mjs';

/** Packages with an install script that must run; the same list as `allowScripts` in package.json. */
const SCRIPTED = ['better-sqlite3', 'esbuild'];

/** `npm ci`, only when what is installed is not what package-lock.json says (for this Node). */
export async function installNodePackages(root, { say, env }) {
  const stampFile = join(root, 'node_modules', '.quanwei-setup');
  const stamp = stampOf(root);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;

  if (!(matchesLock(root) && sqliteWorks(root))) {
    say('installing packages (npm ci) …');
    const npmEnv = { ...env, ...headersBesideNode(env), NODE_ENV: '', JOBS: 'max' };
    // Scripts run afterwards and by name: one that fails must not throw the whole installation away.
    await must(root, npmEnv, ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund']);
    say('preparing better-sqlite3 (compiled here when there is none ready-made: one or two minutes) …');
    if ((await npm(root, npmEnv, ['rebuild', ...SCRIPTED])) !== 0 || !sqliteWorks(root)) {
      say('that did not work: looking for a compiler …');
      const missing = await installCompiler({ say, env });
      if (missing.length > 0) {
        throw new Error(`better-sqlite3 needs a compiler: install ${missing.map((part) => part.name).join(', ')}`);
      }
      await must(root, npmEnv, ['rebuild', ...SCRIPTED]);
    }
    if (!sqliteWorks(root)) throw new Error('better-sqlite3 was installed but cannot be loaded');
  }
  writeFileSync(stampFile, stamp);
}

/** A native package is built for one ABI; another Node asks for another one. */
function stampOf(root) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${lock} ${process.versions.modules} ${process.platform}-${process.arch}\n`;
}

/** Whether somebody ran npm here already, with this lock file. */
function matchesLock(root) {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path];
    if (found === undefined ? !(entry.optional || entry.peer) : found.version !== entry.version) return false;
  }
  return Object.keys(installed).every((path) => path in wanted);
}

const sqliteWorks = (root) =>
  succeeds(process.execPath, [
    '-e',
    `new (require(${JSON.stringify(join(root, 'node_modules', 'better-sqlite3'))}))(':memory:').exec('select 1')`,
  ]);

/** Node's own headers when they were installed with it; else node-gyp has to fetch them from nodejs.org. */
function headersBesideNode(env) {
  if (env.npm_config_nodedir) return {};
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'node.h')) ? { npm_config_nodedir: prefix } : {};
}

const npm = (root, env, args) =>
  show('npm', [...args, '--loglevel=error'], { cwd: root, env, shell: process.platform === 'win32' });

async function must(root, env, args) {
  const code = await npm(root, env, args);
  if (code !== 0) throw new Error(`npm ${args[0]} ended with ${code}`);
}
