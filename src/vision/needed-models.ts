import type { CameraConfig, VisionConfig } from '../config/schema.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { ModelCatalogue } from './models/catalogue.ts';
import type { ModelFile } from './models/entry.ts';
import type { ModelStore } from './models/store.ts';

/** The pose of whoever is near a fence. */
export const POSE = 'movenet-lightning';
export const FACE_MODELS = {
  faces: 'fr_detect',
  landmarks: 'fr_landmark',
  embedding: 'fr_feature',
  liveness: 'fr_liveness',
} as const;

export const looksForPeople = ({ fences, lines, zones }: CameraConfig): boolean =>
  fences.length + lines.length + zones.length > 0;

/** Ids of the models these cameras need, in two sets that run apart: people, and faces. */
export function neededModels(
  cameras: readonly CameraConfig[],
  vision: Pick<VisionConfig, 'doorPictures'>,
): { readonly people: string[]; readonly faces: string[] } {
  const people = new Set(cameras.filter(looksForPeople).map(({ detector }) => detector));
  if (cameras.some(({ fences }) => fences.length > 0)) people.add(POSE);
  const asks = vision.doorPictures || cameras.some(({ faces }) => faces !== false);
  return { people: [...people], faces: asks ? Object.values(FACE_MODELS) : [] };
}

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
      missing.push(`${id}: ${thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown)}`);
    }
  }
  return { files, missing };
}
