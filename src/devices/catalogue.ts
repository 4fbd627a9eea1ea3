import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QuanweiError } from '../kernel/errors.ts';
import { compileProfile, type Profile } from './compile.ts';
import { type ProfileProblem, readProfile } from './profile-file.ts';
import { remembered } from './remembered-profiles.ts';

export type { Profile } from './compile.ts';

/** The profiles that come with the program. */
export const BUILT_IN_PROFILES: string = fileURLToPath(new URL('../../device-profiles', import.meta.url));

/** Every device model this gateway knows. */
export class Catalogue {
  readonly #profiles: ReadonlyMap<string, () => Profile>;

  /** @param profiles by id; each is called once at most, when its profile is first wanted */
  constructor(profiles: ReadonlyMap<string, (catalogue: Catalogue) => Profile>) {
    this.#profiles = new Map([...profiles].map(([id, read]) => [id, once(() => read(this))]));
  }

  /** @throws QuanweiError NOT_FOUND */
  get(id: string): Profile {
    const profile = this.#profiles.get(id);
    if (profile === undefined) {
      throw new QuanweiError('NOT_FOUND', `there is no device profile ${id}`, {
        hint: `known: ${[...this.#profiles.keys()].sort().join(', ')}`,
      });
    }
    return profile();
  }

  has(id: string): boolean {
    return this.#profiles.has(id);
  }

  /** Sorted by id. */
  all(): Profile[] {
    return [...this.#profiles.keys()].sort().map((id) => this.get(id));
  }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * Knows every `*.yaml` of the directories. A site's own are read at once, so that a mistake in one is told at start; ours,
 * which the tests read, only when a device of that model is there (a profile takes 10–50 ms to read on a small box).
 * @param dirs usually `BUILT_IN_PROFILES` and the site's own
 * @throws QuanweiError BAD_PROFILE with the first mistake's file:line:column; a directory that is not there is one too
 */
export function loadCatalogue(dirs: readonly string[]): Catalogue {
  const files = new Map<string, string>();
  for (const file of dirs.flatMap(profileFiles)) {
    const id = basename(file, '.yaml'); // what the id must be
    const other = files.get(id);
    if (other !== undefined) {
      throw badProfile([
        {
          where: `${file}:1:1`,
          what: `profile ${id} is already in ${other}`,
          hint: 'give yours an id (and file name) of its own',
        },
      ]);
    }
    files.set(id, file);
  }
  const catalogue = new Catalogue(
    new Map([...files].map(([id, file]) => [id, (all) => linked(loadProfile(file), all)])),
  );
  for (const [id, file] of files) if (dirname(file) !== BUILT_IN_PROFILES) catalogue.get(id);
  return catalogue;
}

/** @throws QuanweiError BAD_PROFILE */
export function loadProfile(file: string): Profile {
  const bytes = readFileSync(file);
  const known = dirname(file) === BUILT_IN_PROFILES ? remembered(file, bytes) : null;
  const { definition, problems } = known === null ? readProfile(file, bytes) : { definition: known, problems: [] };
  if (definition === null) throw badProfile(problems);
  return { ...definition, file, program: compileProfile(definition) };
}

/** A hub names the profiles it tries on end devices nobody registered; they are known once all files are read. */
export function linked(profile: Profile, catalogue: Catalogue): Profile {
  for (const { profile: id, params } of profile.hub?.unregistered ?? []) {
    if (!catalogue.has(id)) {
      throw badProfile([
        {
          where: `${profile.file}:1:1`,
          what: `hub.unregistered: there is no device profile ${id}`,
          hint: 'add the profile, or take the name out',
        },
      ]);
    }
    profile.program.unregistered.push({
      // Read when a device nobody registered first speaks.
      get profile() {
        return catalogue.get(id);
      },
      params,
    });
  }
  return profile;
}

function profileFiles(dir: string): string[] {
  if (!existsSync(dir)) {
    throw badProfile([
      { where: dir, what: 'there is no such directory of device profiles', hint: 'check `profiles` in gateway.yaml' },
    ]);
  }
  return readdirSync(dir)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(dir, name));
}

export function badProfile(problems: readonly ProfileProblem[]): QuanweiError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more: quanwei profile test FILE shows all)` : '';
  return new QuanweiError('BAD_PROFILE', `${first?.what ?? 'unknown mistake'}${more}`, {
    where: first?.where ?? '',
    hint: first?.hint ?? '',
  });
}
