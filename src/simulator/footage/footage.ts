import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Actor, encode, FPS, frames, type Stream } from './clip.ts';
import { fenceOf, type Script, type Truth, viewOf } from './clips.ts';
import { loadFigure } from './figure.ts';
import { fetchMaterial } from './material.ts';
import { paint } from './scene.ts';

/** A clip on this machine. */
export interface Footage {
  /** 640×360, H.264 */
  readonly file: string;
  /** The same at 1280×720 where it was asked for. */
  readonly main: string | null;
  readonly truth: Truth;
}

/** The same whether this runs from `src/` or from `dist/`. */
const SOURCES = fileURLToPath(new URL('../../../src/simulator/footage/', import.meta.url));

/** Files that do nothing to the pictures. */
const SERVES = /^(cameras|footage)\.ts$/;

export interface FootageOptions {
  /** Where clips and what they are made from are kept; default `QUANWEI_FOOTAGE_DIR`, or a directory of the user's cache. */
  readonly cache?: string;
  /** Whether there is a main stream as well. */
  readonly main?: boolean;
  say?(line: string): void;
}

export const footageCache = (env: NodeJS.ProcessEnv = process.env): string =>
  env['QUANWEI_FOOTAGE_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'quanwei', 'footage');

/**
 * Composes a clip, or gives the one that was composed before from the same script by the same program.
 * @throws QuanweiError CAMERA_UNAVAILABLE when its material cannot be had or ffmpeg does not manage
 */
export async function compose(script: Script, options: FootageOptions = {}): Promise<Footage> {
  const { cache = footageCache(), main = false, say = () => undefined } = options;
  const home = await homeOf(script, cache, main);
  if (!existsSync(home)) {
    const material = await fetchMaterial(cache, say);
    say(`composing ${script.name} (${script.seconds} s) …`);
    const scratch = await mkdtemp(join(cache, 'composing-'));
    try {
      await make(script, material, scratch, main);
      await rename(scratch, home).catch((thrown: unknown) => {
        // Another process composed the same meanwhile.
        if (!existsSync(home)) throw thrown;
      });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  return footageIn(home, main);
}

/** What `compose` would give, when it is there already; `null` otherwise. */
export async function composed(script: Script, options: FootageOptions = {}): Promise<Footage | null> {
  const { cache = footageCache(), main = false } = options;
  const home = await homeOf(script, cache, main);
  return existsSync(home) ? footageIn(home, main) : null;
}

const homeOf = async (script: Script, cache: string, main: boolean): Promise<string> =>
  join(cache, `${script.name}${main ? '-main' : ''}-${await digestOf(script)}`);

async function footageIn(home: string, main: boolean): Promise<Footage> {
  const truth = JSON.parse(await readFile(join(home, 'truth.json'), 'utf8')) as Truth;
  return { file: join(home, 'sub.mp4'), main: main ? join(home, 'main.mp4') : null, truth };
}

type Material = Awaited<ReturnType<typeof fetchMaterial>>;

async function make(script: Script, material: Material, into: string, main: boolean): Promise<void> {
  await mkdir(into, { recursive: true });
  const view = viewOf(script, main ? 450 : 360);
  const small = viewOf(script);
  const actors: Actor[] = [];
  let climb: Truth['climb'] = null;
  for (const { person, height, shade, act } of script.cast) {
    const figure = await loadFigure(material, person, height);
    const played = act(figure.joints);
    climb = played.climb ?? climb;
    actors.push({ figure, motion: played.motion, shade });
  }
  const streams: Stream[] = [
    { file: join(into, 'sub.mp4'), width: small.width, height: small.height, rate: 700, preset: 'veryfast' },
  ];
  // Looked at and not analysed: bits are cheaper than the minute of whoever waits for a demo.
  const large = { file: join(into, 'main.mp4'), width: 1280, height: 720, rate: 4_000, preset: 'ultrafast' } as const;
  if (main) streams.push(large);
  const scene = paint(view, script.wall, script.seed);
  await encode(view, frames(view, scene, actors, script.seconds), script.seed, streams);
  const truth: Truth = {
    name: script.name,
    seconds: script.seconds,
    fps: FPS,
    width: small.width,
    height: small.height,
    personPixels: script.pixels,
    fence: fenceOf(small, script.wall),
    climb,
  };
  await writeFile(join(into, 'truth.json'), `${JSON.stringify(truth, null, 2)}\n`);
}

/** Of the script and of the program that plays it: whoever changes either gets new clips. */
async function digestOf(script: Script): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(script));
  const sources = (await readdir(SOURCES)).filter((name) => name.endsWith('.ts') && !SERVES.test(name)).sort();
  for (const name of sources) digest.update(await readFile(join(SOURCES, name)));
  return digest.digest('hex').slice(0, 12);
}
