import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { profileSchema, profilesPage } from '../../src/devices/profile-docs.ts';
import { testProfile } from '../../src/devices/profile-test.ts';
import { dataDir } from '../support/data-dir.ts';
import { catalogue } from './support.ts';

const docs = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));

/** `UPDATE_DOCS=1 npx vitest run tests/devices/docs.test.ts` writes them anew. */
function current(name: string, made: string): void {
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(docs(name), made);
  expect(existsSync(docs(name)) ? readFileSync(docs(name), 'utf8') : '').toBe(made);
}

describe('the documents that are made from the profiles are current', () => {
  it('docs/device-profiles.md', () => current('device-profiles.md', profilesPage(catalogue().all())));

  it('docs/profile.schema.json', () => current('profile.schema.json', profileSchema()));

  it('the example of docs/adding-a-device.md is a profile that passes its own test', () => {
    const text = readFileSync(docs('adding-a-device.md'), 'utf8');
    const file = join(dataDir(), 'water-leak.yaml');
    writeFileSync(file, /```yaml\n(# water-leak\.yaml\n[\s\S]*?)```/.exec(text)?.[1] ?? '');
    const { problems, samples } = testProfile(file);
    expect(problems).toEqual([]);
    expect(samples.length).toBeGreaterThan(2);
  });
});
