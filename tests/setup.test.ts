import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { dataDir } from './support/data-dir.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SETUP = join(ROOT, 'src/setup/setup.mjs');

function setup(args: string[], options: { root?: string; env?: Record<string, string>; preload?: string } = {}) {
  const file = options.root === undefined ? SETUP : join(options.root, 'src/setup/setup.mjs');
  const preload = options.preload === undefined ? [] : ['--import', `data:text/javascript,${options.preload}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...preload, file, ...args], {
    encoding: 'utf8',
    env: { ...process.env, CI: '', QUANWEI_SETUP_NO_ROOT: '1', ...options.env },
  });
  return { status, stdout, stderr };
}

/** A directory of programs: the named ones of this machine, and scripts. */
function programs(named: string[], scripts: Record<string, string> = {}): string {
  const dir = dataDir();
  for (const name of named) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
    if (found !== '') symlinkSync(realpathSync(found), join(dir, name));
  }
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(dir, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(dir, name), 0o755);
  }
  return dir;
}

/** A checkout whose packages are these ones and whose npm only notes what it was asked. */
function checkout() {
  const root = dataDir();
  for (const part of ['package.json', 'package-lock.json', 'device-profiles', 'src/setup']) {
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  }
  mkdirSync(join(root, 'node_modules'));
  cpSync(join(ROOT, 'node_modules/.package-lock.json'), join(root, 'node_modules/.package-lock.json'));
  for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  }
  const calls = join(root, 'npm-calls');
  writeFileSync(calls, '');
  const path = programs(['node', 'sh', 'ffmpeg'], { npm: `echo "$*" >> ${calls}` });
  return {
    root,
    run: () => setup(['--for', 'run'], { root, env: { PATH: path } }),
    calls: () =>
      readFileSync(calls, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) =>
          line
            .split(' ')
            .slice(0, line.startsWith('run') ? 3 : 1)
            .join(' '),
        ),
    lock: join(root, 'package-lock.json'),
  };
}

test('an old Node is told what is needed, in one sentence and not in a stack', () => {
  const old = 'Object.defineProperty(process.versions,"node",{value:"18.19.0"})';
  const { status, stderr } = setup([], { preload: old });
  expect(status).toBe(1);
  expect(stderr).toContain('Node 18.19.0 is too old: Quanwei needs 20.19 or newer');
  expect(stderr).toMatch(/太旧/);
  expect(stderr).not.toContain('    at ');
});

test('the first file of set-up can be read by the Node that old systems carry', () => {
  // Newer syntax than Node 12 has would be an error there before the sentence could be printed.
  expect(readFileSync(SETUP, 'utf8')).not.toMatch(/\?\.|\?\?|\|\|=|&&=|^await /m);
});

test('where everything is in place nothing is done', () => {
  const { root, run, calls } = checkout();
  expect(run().status).toBe(0);
  expect(calls(), 'only the build').toEqual(['run --silent build']);
  const again = run();
  expect(again.status).toBe(0);
  expect(calls()).toHaveLength(1);
  expect(existsSync(join(root, 'dist'))).toBe(true);
});

test('packages are installed again when the lock file asks for others, and the program is built again', () => {
  const { lock, run, calls } = checkout();
  run();
  const before = calls().length;
  const wanted = JSON.parse(readFileSync(lock, 'utf8')) as { packages: Record<string, { version: string }> };
  (wanted.packages['node_modules/yaml'] as { version: string }).version = '0.0.1';
  writeFileSync(lock, JSON.stringify(wanted));
  expect(run().status).toBe(0);
  expect(calls().slice(before)).toEqual(['ci', 'rebuild', 'run --silent build']);
});

test('only a changed source builds again', () => {
  const { root, run, calls } = checkout();
  const source = join(root, 'src/main.ts');
  writeFileSync(source, 'export {};\n');
  run();
  run();
  expect(calls()).toHaveLength(1);
  utimesSync(source, new Date(), new Date(Date.now() + 5_000));
  run();
  expect(calls()).toEqual(['run --silent build', 'run --silent build']);
});

test('without root one command is printed; set-up goes on, but where CI=true the missing part is a failure', () => {
  const { root } = checkout();
  const env = { PATH: programs(['node', 'sh'], { npm: 'exit 0' }) };
  const person = setup(['--for', 'run'], { root, env });
  expect(person.status).toBe(0);
  expect(person.stderr).toContain("sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ffmpeg'");
  const machine = setup(['--for', 'run'], { root, env: { ...env, CI: 'true' } });
  expect(machine.status).toBe(1);
  expect(machine.stderr).toContain('CI=true: a missing part is a failure');
});

test('the demo asks for none of the packages that only tests need', () => {
  const { root } = checkout();
  const { stderr } = setup(['--for', 'demo'], { root, env: { PATH: programs(['node', 'sh'], { npm: 'exit 0' }) } });
  expect(stderr).toMatch(/no-install-recommends ffmpeg'/);
});

test('a purpose nobody knows is wrong use', () => {
  expect(setup(['--for', 'fun']).status).toBe(2);
  expect(setup(['--fun']).status).toBe(2);
});
