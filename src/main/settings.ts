import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { type ConfigProblem, loadConfig } from '../config/load.ts';
import type { GatewayConfig } from '../config/schema.ts';
import { QuanweiError } from '../kernel/errors.ts';

/** Where a box has its configuration when it was installed by `systemd/install.sh`. */
export const INSTALLED_CONFIG = '/etc/quanwei/gateway.yaml';

/** What the user said about where things are. */
export interface Place {
  readonly config?: string;
  readonly data?: string;
}

export interface Settings {
  /** Absolute path of the configuration file. */
  readonly file: string;
  readonly config: GatewayConfig;
  /** What works in the file and should still be changed. */
  readonly warnings: readonly ConfigProblem[];
  /** Absolute path of the data directory. */
  readonly data: string;
}

export const withPlace = (command: Command): Command =>
  command
    .option('--config <file>', '配置文件 configuration (default: ./gateway.yaml, else /etc/quanwei/gateway.yaml)')
    .option('--data <dir>', '数据目录 data directory (default: the one the configuration names)');

/** @throws QuanweiError BAD_USE when there is no configuration */
export function findConfig(place: Place): string {
  if (place.config !== undefined) return resolve(place.config);
  const found = ['gateway.yaml', INSTALLED_CONFIG].find((file) => existsSync(file));
  if (found === undefined) {
    throw new QuanweiError('BAD_USE', 'no configuration found', { hint: 'name it with --config FILE' });
  }
  return resolve(found);
}

/** @throws QuanweiError BAD_USE, BAD_CONFIG */
export function loadSettings(place: Place): Settings {
  const file = findConfig(place);
  const { config, warnings } = loadConfig(file);
  const data = resolve(place.data ?? resolve(dirname(file), config.data));
  return { file, config: { ...config, data }, warnings, data };
}

/** The data directory alone; needs no configuration when it is named. @throws QuanweiError BAD_USE, BAD_CONFIG */
export const dataDirectory = (place: Place): string =>
  place.data === undefined ? loadSettings(place).data : resolve(place.data);
