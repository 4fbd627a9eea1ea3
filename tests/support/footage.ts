import { existsSync } from 'node:fs';
import { CLIMBS, DECOYS, PASSERS, type Script } from '../../src/simulator/footage/clips.ts';
import { compose, type Footage, footageCache } from '../../src/simulator/footage/footage.ts';

export type { Footage } from '../../src/simulator/footage/footage.ts';

/**
 * Composed footage with its truth beside it: people who climb over, people who only look like it, people who walk past.
 * Composed when first asked for (a few seconds of CPU each) and kept in `QUANWEI_FOOTAGE_DIR` or the user's cache.
 */
export const climbs = (): Promise<Footage[]> => all(CLIMBS);
export const decoys = (): Promise<Footage[]> => all(DECOYS);
export const passers = (): Promise<Footage[]> => all(PASSERS);

/** @param name such as `climb-brick-150`; see src/simulator/footage/clips.ts */
export async function clip(name: string): Promise<Footage> {
  const script = [...CLIMBS, ...DECOYS, ...PASSERS].find((one) => one.name === name);
  if (script === undefined) throw new Error(`there is no clip ${name}`);
  return compose(script);
}

/** Fences for the configuration of a camera that shows this clip. */
export const fencesOf = ({ truth }: Footage) => [{ id: 'wall', ...truth.fence }];

async function all(scripts: readonly Script[]): Promise<Footage[]> {
  const made = [];
  // One after the other: each uses two cores already.
  for (const script of scripts) made.push(await compose(script));
  return made;
}

/** Whether footage can be had here. Where CI=true it has to be. */
export async function canCompose(): Promise<boolean> {
  try {
    await compose(CLIMBS[0] as Script);
    return true;
  } catch (thrown) {
    if (process.env['CI'] === 'true') throw thrown;
    const cached = existsSync(footageCache()) ? 'incomplete' : 'empty';
    console.warn(`skipped: no footage (cache ${cached}): ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return false;
  }
}
