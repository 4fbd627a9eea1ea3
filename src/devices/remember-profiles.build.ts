import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BUILT_IN_PROFILES, badProfile } from './catalogue.ts';
import { readProfile } from './profile-file.ts';
import { digestOf, type RememberedProfile, rememberedFile } from './remembered-profiles.ts';

for (const name of readdirSync(BUILT_IN_PROFILES).filter((one) => one.endsWith('.yaml'))) {
  const file = join(BUILT_IN_PROFILES, name);
  const bytes = readFileSync(file);
  const { definition, problems } = readProfile(file, bytes);
  if (definition === null) throw badProfile(problems);
  const made = rememberedFile(file);
  mkdirSync(dirname(made), { recursive: true });
  writeFileSync(made, JSON.stringify({ digest: digestOf(bytes), definition } satisfies RememberedProfile));
}
