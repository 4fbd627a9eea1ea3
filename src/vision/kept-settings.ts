import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { withSettings } from '../config/camera-overlay.ts';
import { CameraSettings } from '../config/cameras.ts';
import type { CameraConfig } from '../config/schema.ts';
import { writeDurably } from '../kernel/durable-file.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';

/** What the gateway sends: settings that were made on the page, of all cameras that have any. */
const Sent = z.strictObject({
  version: z.string().max(64),
  cameras: z.record(z.string().max(64), CameraSettings),
});
type Sent = z.output<typeof Sent>;

/**
 * Settings of cameras that were made on the page, as the gateway told them last. They are kept on disk: a vision
 * process that starts while the gateway is away looks at the same fences as before.
 */
export class KeptSettings {
  readonly #file: string;
  #sent: Sent | null = null;

  /** @param file its directory exists */
  constructor(file: string, log: Log) {
    this.#file = file;
    try {
      if (existsSync(file)) this.#sent = Sent.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch (thrown) {
      log.warn(
        { err: thrown, file },
        'settings of the page cannot be read: the file’s are used until the gateway tells',
      );
    }
  }

  /** As the gateway named it; `null` when it has told nothing yet. */
  get version(): string | null {
    return this.#sent?.version ?? null;
  }

  /** @returns whether it is news @throws QuanweiError BAD_REQUEST; what the disk says */
  keep(text: string): boolean {
    const sent = parse(text);
    if (sent.version === this.version) return false;
    writeDurably(this.#file, text, 0o600);
    this.#sent = sent;
    return true;
  }

  /** Cameras of the file as they are to be looked at. */
  over(cameras: readonly CameraConfig[]): CameraConfig[] {
    return cameras.map((camera) => {
      const settings = this.#sent?.cameras[camera.id];
      return settings === undefined ? camera : withSettings(camera, settings);
    });
  }
}

function parse(text: string): Sent {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch (cause) {
    throw new QuanweiError('BAD_REQUEST', 'settings are JSON', { cause });
  }
  const parsed = Sent.safeParse(said);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new QuanweiError('BAD_REQUEST', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong form'}`);
}
