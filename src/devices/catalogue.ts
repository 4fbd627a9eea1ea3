import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QuanweiError } from '../kernel/errors.ts';
import { compileProfile, type Profile } from './compile.ts';
import { type ProfileProblem, readProfile } from './profile-file.ts';

export type { Profile } from './compile.ts';

/** The profiles that come with the program. */
export const BUILT_IN_PROFILES: string = fileURLToPath(new URL('../../device-profiles', import.meta.url));

/** Every device model this gateway knows. */
export class Catalogue {
  readonly #profiles: ReadonlyMap<string, Profile>;

  constructor(profiles: readonly Profile[]) {
    this.#profiles = new Map(profiles.map((profile) => [profile.id, profile]));
  }

  /** @throws QuanweiError NOT_FOUND */
  get(id: string): Profile {
    const profile = this.#profiles.get(id);
    if (profile === undefined) {
      throw new QuanweiError('NOT_FOUND', `there is no device profile ${id}`, {
        hint: `known: ${[...this.#profiles.keys()].sort().join(', ')}`,
      });
    }
    return profile;
  }

  has(id: string): boolean {
    return this.#profiles.has(id);
  }

  /** Sorted by id. */
  all(): Profile[] {
    return [...this.#profiles.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/**
 * Reads every `*.yaml` of the directories.
 * @param dirs usually `BUILT_IN_PROFILES` and the site's own
 * @throws QuanweiError BAD_PROFILE with the first mistake's file:line:column; a directory that is not there is one too
 */
export function loadCatalogue(dirs: readonly string[]): Catalogue {
  const profiles: Profile[] = [];
  const fileOf = new Map<string, string>();
  for (const file of dirs.flatMap(profileFiles)) {
    const { definition, problems } = readProfile(file, readFileSync(file, 'utf8'));
    if (definition === null) throw badProfile(problems);
    const other = fileOf.get(definition.id);
    if (other !== undefined) {
      throw badProfile([
        {
          where: `${file}:1:1`,
          what: `profile ${definition.id} is already in ${other}`,
          hint: 'give yours an id (and file name) of its own',
        },
      ]);
    }
    fileOf.set(definition.id, file);
    profiles.push({ ...definition, file, program: compileProfile(definition) });
  }
  const catalogue = new Catalogue(profiles);
  for (const profile of profiles) link(profile, catalogue);
  return catalogue;
}

/** A hub names the profiles it tries on end devices nobody registered; they are known once all files are read. */
export function link(profile: Profile, catalogue: Catalogue): void {
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
    profile.program.unregistered.push({ profile: catalogue.get(id), params });
  }
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
