import type { CameraConfig, VisionConfig } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { HealthEvent } from './event.ts';
import { ForkedInference } from './inference/forked.ts';
import type { Inference } from './inference/inference.ts';
import type { ModelCatalogue } from './models/catalogue.ts';
import type { ModelFile } from './models/entry.ts';
import type { ModelStore } from './models/store.ts';
import { findModels, neededModels } from './needed-models.ts';

export interface EngineParts {
  readonly catalogue: ModelCatalogue;
  readonly store: ModelStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  health(event: HealthEvent): void;
}

/** A running set of models. */
export interface Engine {
  readonly inference: Inference;
  readonly models: ReadonlyMap<string, ModelFile>;
}

export interface Engines {
  /** Finds people and their poses; `null` without models. */
  readonly people: Engine | null;
  /** Apart from it: faces are an extra and must not cost a climb. */
  readonly faces: Engine | null;
  close(): Promise<void>;
}

/**
 * Starts what the cameras need. What is missing or does not run is told as a trouble of the process; cameras go on
 * without it.
 */
export async function startEngines(
  cameras: readonly CameraConfig[],
  vision: Pick<VisionConfig, 'doorPictures'>,
  parts: EngineParts,
): Promise<Engines> {
  const needed = neededModels(cameras, vision);
  const missing: string[] = [];
  const troubles = new Map<string, string>();
  const start = async (name: string, ids: readonly string[]): Promise<Engine | null> => {
    const found = await findModels(ids, parts.catalogue, parts.store);
    missing.push(...found.missing);
    if (found.files.length === 0) return null;
    const told = (reason: string | null): void => {
      if (reason === null) troubles.delete(name);
      else troubles.set(name, reason);
      const [first] = troubles.values();
      parts.health({ type: 'health', condition: 'inference', active: first !== undefined, ...because(first) });
    };
    try {
      const { clock, log, random } = parts;
      const inference = await ForkedInference.start({ models: found.files, clock, log, random, onDegraded: told });
      return { inference, models: new Map(found.files.map((file) => [file.id, file])) };
    } catch (thrown) {
      const reason = thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown);
      parts.log.error({ reason, models: ids }, 'the models do not run');
      told(reason);
      return null;
    }
  };
  const [people, faces] = [await start('people', needed.people), await start('faces', needed.faces)];
  if (missing.length > 0) parts.log.error({ missing }, 'models are missing: quanwei models fetch');
  parts.health({ type: 'health', condition: 'models', active: missing.length > 0, ...because(missing.join('; ')) });
  return {
    people,
    faces,
    close: async () => {
      await Promise.all([people?.inference.close(), faces?.inference.close()]);
    },
  };
}

const because = (reason: string | undefined): { reason?: string } =>
  reason === undefined || reason === '' ? {} : { reason: reason.slice(0, 240) };
