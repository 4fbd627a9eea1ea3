import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { quietly, succeeds } from './run.mjs';

const onPath = (program) => () =>
  (process.env.PATH ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }) || existsSync(`/usr/sbin/${program}`);
const isDebian = () => {
  try {
    return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
};
const SHELL = 'chromium-headless-shell';
const installed = (name) => () => succeeds('dpkg', ['-s', name]);

/**
 * What is needed beside Node, for which purpose, and how to see that it is there. A program somebody installed in
 * another way than apt counts. `useful`: for what it is good without being needed.
 */
const PARTS = [
  // Cameras are read through it; nothing but vision needs it.
  { name: 'ffmpeg', for: ['run', 'demo', 'test', 'bench'], found: onPath('ffmpeg') },
  // Peers, real clients and the real centre of the tests.
  { name: 'mosquitto', for: ['test', 'bench'], found: onPath('mosquitto') },
  { name: 'mosquitto-clients', for: ['test', 'bench'], found: onPath('mosquitto_pub') },
  // The page is looked at in a real browser, in Chinese.
  { name: 'chromium', for: ['test'], found: () => onPath('chromium')() || onPath(SHELL)() },
  // Chromium without a window: the tests of the page take half the time. Debian has it.
  ...(isDebian() ? [{ name: SHELL, for: [], useful: ['test'], found: onPath(SHELL) }] : []),
  { name: 'fonts-noto-cjk', for: ['test'], found: installed('fonts-noto-cjk') },
  // Cameras in software.
  { name: 'python3', for: ['test'], useful: ['demo', 'bench'], found: () => existsSync('/usr/bin/python3') },
  { name: 'python3-gi', for: ['test'], useful: ['demo', 'bench'], found: installed('python3-gi') },
  {
    name: 'gir1.2-gst-rtsp-server-1.0',
    for: ['test'],
    useful: ['demo', 'bench'],
    found: installed('gir1.2-gst-rtsp-server-1.0'),
  },
  {
    name: 'gstreamer1.0-plugins-base',
    for: ['test'],
    useful: ['demo', 'bench'],
    found: installed('gstreamer1.0-plugins-base'),
  },
  {
    name: 'gstreamer1.0-plugins-good',
    for: ['test'],
    useful: ['demo', 'bench'],
    found: installed('gstreamer1.0-plugins-good'),
  },
  {
    name: 'gstreamer1.0-plugins-bad',
    for: ['test'],
    useful: ['demo', 'bench'],
    found: installed('gstreamer1.0-plugins-bad'),
  },
  // What others take to watch a camera. Where systemd runs, installing it starts a service that opens cameras: not by us.
  ...(existsSync('/run/systemd/system')
    ? []
    : [{ name: 'motion', for: [], useful: ['bench'], found: onPath('motion') }]),
  // How late the machine itself is.
  { name: 'rt-tests', for: [], useful: ['bench'], found: onPath('cyclictest') },
  // A disk with a slow fsync, a clock that jumps, a network that is gone.
  { name: 'gcc', for: ['test', 'bench'], found: onPath('gcc') },
  { name: 'libc6-dev', for: ['test', 'bench'], found: () => existsSync('/usr/include/stdio.h') },
  { name: 'libfaketime', for: ['test'], found: installed('libfaketime') },
  { name: 'iproute2', for: ['test'], found: onPath('ip') },
  // The units are judged by systemd itself.
  { name: 'systemd', for: ['test'], found: onPath('systemd-analyze') },
];

/** Only for a machine that gets no ready-made better-sqlite3; see node-packages.mjs. */
const COMPILER = [
  { name: 'g++', found: onPath('g++') },
  { name: 'make', found: onPath('make') },
  { name: 'python3', found: onPath('python3') },
];

export const PURPOSES = ['run', 'demo', 'test', 'bench'];

/** Installs what `purpose` needs; gives the parts that are still missing afterwards. */
export function installSystemPackages(purpose, { say, env }) {
  return install(
    PARTS.filter((part) => part.for.includes(purpose)),
    { say, env },
  );
}

/** What makes a purpose better and can be done without: installed where nobody has to be asked, else left out. */
export function installUsefulPackages(purpose, { say, env }) {
  const parts = PARTS.filter((part) => part.useful?.includes(purpose) && !part.found());
  const able = rootPrefix(env) !== null && onPath('apt-get')();
  if (parts.length === 0 || able) return install(parts, { say, env, attempts: 1 });
  say(`optional, not installed: ${parts.map((part) => part.name).join(' ')}`);
  return parts;
}

/** Installs what compiling a native package needs; gives the parts that are still missing afterwards. */
export const installCompiler = ({ say, env }) => install(COMPILER, { say, env });

async function install(parts, { say, env, attempts = ATTEMPTS }) {
  const missing = parts.filter((part) => !part.found());
  if (missing.length === 0) return [];
  const names = missing.map((part) => part.name);
  const how = rootPrefix(env);
  const command = `apt-get update && apt-get install -y --no-install-recommends ${names.join(' ')}`;
  if (how === null) {
    console.error(`[setup] 请运行一次 / please run once:\n\n  sudo sh -c '${command}'\n`);
    return missing;
  }
  if (!onPath('apt-get')()) {
    console.error(`[setup] no apt-get here; please install: ${names.join(' ')}`);
    return missing;
  }
  say(`installing ${names.join(' ')} (apt) …`);
  await apt(how, ['update', '-q'], say, attempts);
  const code = await apt(how, ['install', '-y', '-q', '--no-install-recommends', ...names], say, attempts);
  const still = missing.filter((part) => !part.found());
  if (code !== 0 && still.length > 0) console.error(`[setup] apt did not manage; by hand: sudo sh -c '${command}'`);
  return still;
}

/** How to become root without asking anybody: nothing to add, sudo, or no way. */
function rootPrefix(env) {
  if (env.QUANWEI_SETUP_NO_ROOT === '1') return null;
  if (process.getuid?.() === 0) return [];
  return succeeds('sudo', ['-n', 'true']) ? ['sudo', '-n'] : null;
}

const ATTEMPTS = 4;

async function apt(how, args, say, attempts) {
  const line = [
    ...how,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    // Unattended upgrades may hold the lock for minutes on a fresh machine.
    '-o',
    'DPkg::Lock::Timeout=600',
    '-o',
    'Acquire::Retries=3',
    ...args,
  ];
  for (let attempt = 1; ; attempt += 1) {
    const code = await quietly(line[0], line.slice(1));
    // The lock of the package lists knows no time-out of its own, and mirrors have bad minutes.
    if (code === 0 || attempt === attempts) return code;
    say(`apt-get ${args[0]} ended with ${code}; trying again`);
    await wait(5_000 * attempt);
  }
}
