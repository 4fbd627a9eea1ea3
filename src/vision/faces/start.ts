import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { ForkedInference } from '../inference/forked.ts';
import type { Task } from '../inference/inference.ts';
import { BUILT_IN_MODELS, loadModels, type WantedModel } from '../models/catalogue.ts';
import type { ModelFile } from '../models/entry.ts';
import { ModelStore, modelsDirectory } from '../models/store.ts';
import { type FaceModels, FaceReader } from './reader.ts';

/** The four tasks of faces, by the models of the program; a site's own entry for a task goes before. */
const TASKS = {
  faces: 'fr_detect',
  landmarks: 'fr_landmark',
  embedding: 'fr_feature',
  liveness: 'fr_liveness',
} as const;

/**
 * The files of the face models.
 * @param directories the site's own entries (`vision.models`)
 * @throws QuanweiError BAD_MODEL when one has not been fetched or is damaged
 */
export async function faceModels(directories: readonly string[] = []): Promise<Required<FaceModels>> {
  const catalogue = loadModels([BUILT_IN_MODELS, ...directories]);
  const store = new ModelStore(modelsDirectory());
  const open = (task: Task & keyof typeof TASKS): Promise<ModelFile> => {
    const own = catalogue
      .all()
      .find(({ entry, directory }) => entry.task === task && directory !== BUILT_IN_MODELS && !entry.optional);
    const model: WantedModel = catalogue.wanted(own?.entry.id ?? TASKS[task]);
    return store.open(model);
  };
  const [faces, landmarks, embedding, liveness] = await Promise.all([
    open('faces'),
    open('landmarks'),
    open('embedding'),
    open('liveness'),
  ]);
  return { faces, landmarks, embedding, liveness };
}

export interface RunningFaces {
  readonly reader: FaceReader;
  readonly inference: ForkedInference;
  close(): Promise<void>;
}

/** A reader with a child of its own, warm; for commands that do nothing else. */
export async function startFaces(
  models: Required<FaceModels>,
  { clock, log, random }: { clock: Clock; log: Log; random: () => number },
): Promise<RunningFaces> {
  const inference = await ForkedInference.start({ models: Object.values(models), clock, log, random });
  return { reader: new FaceReader(inference, models), inference, close: () => inference.close() };
}
