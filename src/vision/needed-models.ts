import type { CameraConfig } from '../config/schema.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { ModelCatalogue } from './models/catalogue.ts';
import type { ModelFile } from './models/entry.ts';
import type { ModelStore } from './models/store.ts';

/** The pose of whoever is near a fence. */
export const POSE = 'movenet-lightning';

export const looksForPeople = ({ fences, lines, zones }: CameraConfig): boolean =>
  fences.length + lines.length + zones.length > 0;

/** Ids of the models that find people, for these cameras. */
export function peopleModels(cameras: readonly CameraConfig[]): string[] {
  const ids = new Set(cameras.filter(looksForPeople).map(({ detector }) => detector));
  if (cameras.some(({ fences }) => fences.length > 0)) ids.add(POSE);
  return [...ids];
}

export const asksForFaces = (cameras: readonly CameraConfig[], doorPictures: boolean): boolean =>
  doorPictures || cameras.some(({ faces }) => faces !== false);

export interface FoundModels {
  readonly files: ModelFile[];
  /** What is wrong with the others, each with its name. */
  readonly missing: string[];
}

/** Those of the models that are there and whole. */
export async function findModels(
  ids: readonly string[],
  catalogue: Pick<ModelCatalogue, 'wanted'>,
  store: Pick<ModelStore, 'open'>,
): Promise<FoundModels> {
  const files: ModelFile[] = [];
  const missing: string[] = [];
  for (const id of ids) {
    try {
      files.push(await store.open(catalogue.wanted(id)));
    } catch (thrown) {
      missing.push(thrown instanceof QuanweiError ? thrown.describe() : `${id}: ${messageOf(thrown)}`);
    }
  }
  return { files, missing };
}
