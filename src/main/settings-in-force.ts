import { existsSync } from 'node:fs';
import { CameraSettings } from '../api/camera-settings.ts';
import { Settings, type SettingView } from '../api/settings.ts';
import type { GatewayConfig } from '../config/schema.ts';
import { databaseFile } from '../journal/database.ts';
import { JournalReader } from '../journal/reader.ts';
import type { Clock } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import { createLog } from '../kernel/log.ts';

/** Something that people set on the page, in the place of what the file says. */
export interface SetOnPage {
  /** A section, or `camera ID`. */
  readonly what: string;
  /** ms since the epoch */
  readonly changed: number;
  /** As the journal names him. */
  readonly by: string;
  /** In the form of the file; never with a secret. */
  readonly value: unknown;
  /** Why it does not hold. */
  readonly problem: string | null;
  /** It was set after the gateway was started, and waits for the next start. */
  readonly waits: boolean;
}

export interface InForce {
  /** As the next start would have it: the file's, with what was set on the page over it. */
  readonly config: GatewayConfig;
  readonly page: readonly SetOnPage[];
}

/**
 * What is in force on a box, beside its gateway or without it. Reads only.
 * @param file as its file says it
 * @throws QuanweiError STORAGE_* when the journal cannot be read
 */
export function settingsInForce(file: GatewayConfig, clock: Clock): InForce {
  if (!existsSync(databaseFile(file.data))) return { config: file, page: [] };
  const reader = JournalReader.open(file.data);
  try {
    // A box that was not started since it was upgraded has no such tables, and nothing in them.
    const tables = reader.select<{ name: string }>(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('settings', 'camera_settings')`,
    );
    if (tables.length < 2) return { config: file, page: [] };
    const journal = {
      select: <T>(sql: string, ...params: unknown[]) => reader.select<T>(sql, ...params),
      append: () => Promise.reject(new QuanweiError('INVARIANT', 'whoever looks changes nothing')),
    };
    const log = createLog('settings', 'silent');
    const settings = Settings.load({ journal, clock, log, file });
    const cameras = CameraSettings.load({ journal, cameras: settings.config.cameras, clock, log });
    const [started] = reader.read({ kinds: ['system.started'], limit: 1, newestFirst: true });
    const page = [
      ...settings.all().flatMap((view) => ofSection(view, started?.wall ?? 0)),
      ...file.cameras.flatMap(({ id }) => ofCamera(id, cameras)),
    ];
    return { config: { ...settings.config, cameras: cameras.all() }, page };
  } finally {
    reader.close();
  }
}

function ofSection(view: SettingView, started: number): SetOnPage[] {
  const { key, source, changed, by, value, problem, applies } = view;
  if (source !== 'page') return [];
  const waits = applies === 'restart' && (changed ?? 0) > started;
  return [{ what: key, changed: changed ?? 0, by: by ?? '', value, problem, waits }];
}

function ofCamera(id: string, cameras: CameraSettings): SetOnPage[] {
  const { source, changed, actor, settings } = cameras.get(id);
  if (source !== 'page') return [];
  return [
    { what: `camera ${id}`, changed: changed ?? 0, by: actor ?? '', value: settings, problem: null, waits: false },
  ];
}
