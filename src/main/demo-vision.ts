import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import type { Camera } from '../config/cameras.ts';
import type { GatewayConfig } from '../config/schema.ts';

const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));
/** It stops its children first. */
const PATIENCE_MS = 8_000;

/**
 * `quanwei vision` as on a real box: another process, with a configuration file of its own and its own login.
 * @param config of the running gateway; its data directory holds the secret both know
 * @returns how to stop it
 */
export function watchCameras(config: GatewayConfig, cameras: readonly z.input<typeof Camera>[]): () => Promise<void> {
  const { site, data, mqtt, http, vision } = config;
  const file = join(data, 'vision.yaml');
  const told = { site, data, mqtt: { listen: mqtt.listen }, http: { listen: http.listen }, cameras };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ ...told, vision: { listen: vision.listen } }), { mode: 0o600 });
  const child = spawn(process.execPath, [CLI, 'vision', '--config', file, '--data', data], {
    stdio: 'ignore',
    env: { ...process.env, QUANWEI_LOG: process.env['QUANWEI_LOG'] ?? 'error' },
  });
  const gone = once(child, 'exit');
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await gone;
    clearTimeout(late);
  };
}
