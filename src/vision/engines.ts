import type { CameraConfig, VisionConfig } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { HealthEvent } from './event.ts';
import { FaceReader } from './faces/reader.ts';
import { RosterWatch } from './faces/roster-watch.ts';
import { faceModels } from './faces/start.ts';
import { ForkedInference } from './inference/forked.ts';
import type { Inference } from './inference/inference.ts';
import type { ModelCatalogue } from './models/catalogue.ts';
import type { ModelFile } from './models/entry.ts';
import type { ModelStore } from './models/store.ts';
import { asksForFaces, findModels, peopleModels } from './needed-models.ts';

export interface EngineParts {
  readonly catalogue: ModelCatalogue;
  readonly store: ModelStore;
  /** Directory of the face templates. */
  readonly data: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  health(event: HealthEvent): void;
}

/** Finds people and their joints. */
export interface PeopleEngine {
  readonly inference: Inference;
  readonly models: ReadonlyMap<string, ModelFile>;
}

/** Recognises faces. */
export interface FaceEngine {
  readonly inference: Inference;
  readonly reader: FaceReader;
  readonly roster: RosterWatch;
}

export interface Engines {
  /** `null` without models. */
  readonly people: PeopleEngine | null;
  /** In a child apart: faces are an extra and must not cost a climb. */
  readonly faces: FaceEngine | null;
  close(): Promise<void>;
}

/**
 * Starts what the cameras need. What is missing or does not run is told as a trouble of the process; cameras go on
 * without it.
 */
export async function startEngines(
  cameras: readonly CameraConfig[],
  vision: VisionConfig,
  parts: EngineParts,
): Promise<Engines> {
  const { catalogue, store, data, clock, log, random, health } = parts;
  const troubles = new Troubles(health, log);
  const run = (name: string, models: readonly ModelFile[]): Promise<ForkedInference | null> =>
    ForkedInference.start({
      ...{ models, clock, log, random },
      onDegraded: (reason) => troubles.inference(name, reason),
    }).catch((thrown: unknown) => {
      troubles.inference(name, thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown));
      return null;
    });

  const found = await findModels(peopleModels(cameras), catalogue, store);
  for (const what of found.missing) troubles.missing(what);
  const finds = found.files.length === 0 ? null : await run('people', found.files);
  const people =
    finds === null ? null : { inference: finds, models: new Map(found.files.map((file) => [file.id, file])) };

  let faces: FaceEngine | null = null;
  if (asksForFaces(cameras, vision.doorPictures)) {
    try {
      const models = await faceModels(vision.models);
      const inference = await run('faces', Object.values(models));
      if (inference !== null) {
        const reader = new FaceReader(inference, models);
        faces = {
          inference,
          reader,
          roster: new RosterWatch({ data, keyFile: vision.faceKey, clock }, reader.model, log),
        };
      }
    } catch (thrown) {
      troubles.missing(thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown));
    }
  }
  troubles.tell();
  return {
    people,
    faces,
    close: async () => {
      faces?.roster.close();
      await Promise.all([people?.inference.close(), faces?.inference.close()]);
    },
  };
}

/** What keeps models from running, as the gateway is told of it. */
class Troubles {
  readonly #health: (event: HealthEvent) => void;
  readonly #log: Log;
  readonly #missing: string[] = [];
  readonly #broken = new Map<string, string>();

  constructor(health: (event: HealthEvent) => void, log: Log) {
    this.#health = health;
    this.#log = log;
  }

  missing(what: string): void {
    this.#missing.push(what);
    this.#log.error({ what }, 'a model is missing');
  }

  /** @param reason `null`: it runs again */
  inference(name: string, reason: string | null): void {
    if (reason === null) this.#broken.delete(name);
    else {
      this.#broken.set(name, reason);
      this.#log.error({ reason, models: name }, 'the models do not run');
    }
    this.#tell('inference', [...this.#broken.values()]);
  }

  tell(): void {
    this.#tell('models', this.#missing);
  }

  #tell(condition: 'inference' | 'models', reasons: readonly string[]): void {
    const reason = reasons.join('; ').slice(0, 240);
    this.#health({ type: 'health', condition, active: reasons.length > 0, ...(reason === '' ? {} : { reason }) });
  }
}
