import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { Camera } from '../config/cameras.ts';
import type { GatewayConfig } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { keepVision } from './vision-child.ts';

/**
 * `quanwei vision` as on a real box: another process, with a configuration file of its own and its own login.
 * @param config of the running gateway; its data directory holds the secret both know
 * @returns how to stop it
 */
export function watchCameras(
  config: GatewayConfig,
  cameras: readonly z.input<typeof Camera>[],
  clock: Clock,
  log: Log,
): () => Promise<void> {
  const { site, data, mqtt, http, vision } = config;
  const file = join(data, 'vision.yaml');
  const told = { site, data, mqtt: { listen: mqtt.listen }, http: { listen: http.listen }, cameras };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ ...told, vision: { listen: vision.listen } }), { mode: 0o600 });
  return keepVision(['--config', file, '--data', data], clock, log, 'ignore').stop;
}
