import { mkdirSync } from 'node:fs';
import type { GatewayConfig } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { idSource } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { mediaPart } from '../kernel/media.ts';
import { openCamera } from '../vision/camera-parts.ts';
import { BUILT_IN_MODELS, loadModels } from '../vision/models/catalogue.ts';
import { ModelStore, modelsDirectory } from '../vision/models/store.ts';
import { Vision, type VisionSettings } from '../vision/process.ts';
import { VERSION } from './version.ts';
import { findVisionSecret, visionToken } from './vision-secret.ts';

export interface VisionOptions {
  /** Paths absolute, defaults filled. */
  readonly config: GatewayConfig;
  /** Directory of evidence and faces. */
  readonly data: string;
  /** Reads the configuration again. @throws QuanweiError BAD_CONFIG */
  reload(): GatewayConfig;
  readonly clock: Clock;
  readonly log: Log;
}

/** Puts the vision process together (design §3). @throws QuanweiError BAD_CONFIG, PORT_TAKEN */
export async function startVision({ config, data, reload, clock, log }: VisionOptions): Promise<Vision> {
  const secret = findVisionSecret(config);
  const { vision } = config;
  const random = Math.random;
  mkdirSync(data, { recursive: true, mode: 0o750 });
  return Vision.start({
    settings: settingsOf(config),
    reload: () => settingsOf(reload()),
    broker: {
      url: vision.broker ?? nearestListener(config),
      id: vision.id,
      secret,
      ...(vision.ca === undefined ? {} : { ca: vision.ca }),
    },
    token: visionToken(secret),
    data,
    version: VERSION,
    catalogue: loadModels([BUILT_IN_MODELS, ...vision.models]),
    store: new ModelStore(modelsDirectory()),
    open: (camera, hooks, engines, evidence, { timezone, vision: { clip } }) =>
      openCamera(camera, hooks, engines, { timezone, evidence, before: clip.before, clock, log, random }),
    media: { keepFor: config.retention.media, limit: vision.media, minFree: config.retention.minFree },
    hasEvidence: (ref) => mediaPart(data, ref, undefined) !== null,
    clock,
    log,
    newId: idSource(clock),
    random,
  });
}

const settingsOf = ({ cameras, vision, site }: GatewayConfig): VisionSettings => ({
  cameras,
  vision,
  timezone: site.timezone,
});

/** Of this box's listeners the plain one: the way does not leave the box. */
function nearestListener({ mqtt }: GatewayConfig): string {
  const urls = mqtt.listen.map(({ url }) => url);
  const url = urls.find((one) => one.startsWith('mqtt://')) ?? urls[0] ?? 'mqtt://127.0.0.1:1883';
  return url.replace(/\/\/(0\.0\.0\.0|\[::\]):/, '//127.0.0.1:');
}
