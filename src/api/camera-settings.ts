import { createHash } from 'node:crypto';
import { asWritten, withSettings } from '../config/camera-overlay.ts';
import { SHAPE_FAULTS, type ShapeFault, shapeFaults } from '../config/camera-shapes.ts';
import { CameraSettings as SettingsSchema, type WrittenSettings } from '../config/cameras.ts';
import type { CameraConfig } from '../config/schema.ts';
import type { Change, Draft } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';

type Settings = Parameters<typeof withSettings>[1];

interface Parts {
  readonly journal: Pick<Journal, 'append' | 'select'>;
  /** Of the configuration file. */
  readonly cameras: readonly CameraConfig[];
  readonly clock: Clock;
  readonly log: Log;
}

/** A camera's settings as they are used, and where they come from. */
export interface HeldSettings {
  readonly source: 'file' | 'page';
  /** Whoever changes them has to name it. */
  readonly version: string;
  readonly settings: WrittenSettings;
  /** Wall time in ms, and who as the journal names him; `null`: they are the file's. */
  readonly changed: number | null;
  readonly actor: string | null;
}

interface OfPage {
  readonly settings: Settings;
  readonly changed: number;
  readonly actor: string;
}

interface Row {
  readonly camera: string;
  readonly settings: string;
  readonly changed: number;
  readonly actor: string;
}

/**
 * How each camera's picture is looked at: what the file says, or in its place, all of it, what somebody set on the page.
 * A change is one transaction with its `setting.changed` entry.
 */
export class CameraSettings {
  readonly #parts: Parts;
  readonly #file: ReadonlyMap<string, CameraConfig>;
  readonly #page = new Map<string, OfPage>();
  readonly #listeners = new Set<() => void>();
  /** Changes one after the other: each is checked against the outcome of the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#file = new Map(parts.cameras.map((camera) => [camera.id, camera]));
  }

  /** @throws QuanweiError STORAGE_* */
  static load(parts: Parts): CameraSettings {
    const made = new CameraSettings(parts);
    for (const row of parts.journal.select<Row>('SELECT * FROM camera_settings')) {
      // One that has left the file is kept for the day it comes back.
      if (!made.#file.has(row.camera)) continue;
      try {
        const settings = SettingsSchema.parse(JSON.parse(row.settings));
        made.#page.set(row.camera, { settings, changed: row.changed, actor: row.actor });
      } catch (thrown) {
        parts.log.error({ camera: row.camera, why: messageOf(thrown) }, 'settings of the page cannot be used any more');
      }
    }
    return made;
  }

  has(id: string): boolean {
    return this.#file.has(id);
  }

  /** Every camera of the file, as it is looked at. */
  all(): CameraConfig[] {
    return [...this.#file.values()].map((camera) => {
      const ofPage = this.#page.get(camera.id);
      return ofPage === undefined ? camera : withSettings(camera, ofPage.settings);
    });
  }

  /** @throws QuanweiError NOT_FOUND */
  get(id: string): HeldSettings {
    const camera = this.#camera(id);
    const ofPage = this.#page.get(id);
    const settings = asWritten(ofPage?.settings ?? camera);
    return {
      source: ofPage === undefined ? 'file' : 'page',
      version: versionOf(settings),
      settings,
      changed: ofPage?.changed ?? null,
      actor: ofPage?.actor ?? null,
    };
  }

  /** What the file says of it. @throws QuanweiError NOT_FOUND */
  ofFile(id: string): WrittenSettings {
    return asWritten(this.#camera(id));
  }

  /** What the vision process is told: every camera the page has settings of. */
  told(): { readonly version: string; readonly text: string } {
    const cameras = Object.fromEntries([...this.#page].sort().map(([id, { settings }]) => [id, asWritten(settings)]));
    const version = versionOf(cameras);
    return { version, text: JSON.stringify({ version, cameras }) };
  }

  /** Calls `fn` after each change. */
  onChange(fn: () => void): void {
    this.#listeners.add(fn);
  }

  /**
   * @param version of what was changed, as `get` named it
   * @param actor as in the journal: `user:NAME`
   * @throws QuanweiError NOT_FOUND, CONFLICT somebody else was faster, BAD_REQUEST, STORAGE_*
   */
  change(id: string, settings: Settings, version: string, actor: string): Promise<HeldSettings> {
    return this.#inTurn(async () => {
      const before = this.#unchanged(id, version);
      refuseWrongShapes(settings);
      const changed = this.#parts.clock.wall();
      const after = asWritten(settings);
      await this.#parts.journal.append(
        [entry(id, actor, { source: 'page', from: before.settings, to: after })],
        [rowOf(id, JSON.stringify(after), changed, actor)],
      );
      this.#page.set(id, { settings, changed, actor });
      return this.#tell(id);
    });
  }

  /** Back to what the file says. @throws QuanweiError NOT_FOUND, CONFLICT, STORAGE_* */
  reset(id: string, version: string, actor: string): Promise<HeldSettings> {
    return this.#inTurn(async () => {
      const before = this.#unchanged(id, version);
      if (before.source === 'file') return before;
      await this.#parts.journal.append(
        [entry(id, actor, { source: 'file', from: before.settings, to: this.ofFile(id) })],
        [{ sql: 'DELETE FROM camera_settings WHERE camera = ?', params: [id] }],
      );
      this.#page.delete(id);
      return this.#tell(id);
    });
  }

  #camera(id: string): CameraConfig {
    const camera = this.#file.get(id);
    if (camera !== undefined) return camera;
    throw new QuanweiError('NOT_FOUND', `没有此摄像机 · there is no camera ${id}`, { where: id });
  }

  #unchanged(id: string, version: string): HeldSettings {
    const now = this.get(id);
    if (now.version === version) return now;
    throw new QuanweiError('CONFLICT', '设置已被他人修改 · somebody else changed these settings', { where: id });
  }

  #tell(id: string): HeldSettings {
    for (const fn of this.#listeners) fn();
    return this.get(id);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

const versionOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);

const entry = (camera: string, actor: string, body: Record<string, unknown>): Draft => ({
  kind: 'setting.changed',
  actor,
  subject: camera,
  body: { setting: 'camera', ...body },
});

const rowOf = (camera: string, settings: string, changed: number, actor: string): Change => ({
  sql: 'INSERT OR REPLACE INTO camera_settings (camera, settings, changed, actor) VALUES (?, ?, ?, ?)',
  params: [camera, settings, changed, actor],
});

/** @throws QuanweiError BAD_REQUEST something drawn can never be seen as it is meant */
export function refuseWrongShapes(settings: Settings): void {
  const wrong = shapeFaults(settings).find(({ grave }) => grave);
  if (wrong !== undefined) throw badShape(wrong);
}

function badShape({ fault, at }: ShapeFault): QuanweiError {
  const { zh, en, hint } = SHAPE_FAULTS[fault];
  const where = at.reduce<string>(
    (path, step) => (typeof step === 'number' ? `${path}[${step}]` : `${path}.${step}`),
    '',
  );
  return new QuanweiError('BAD_REQUEST', `${zh} · ${where.slice(1)} ${en}`, { where: where.slice(1), hint });
}
