import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Command } from 'commander';
import { type ConfigProblem, type Env, type Locate, loadConfig } from '../config/load.ts';
import type { GatewayConfig } from '../config/schema.ts';
import { readText } from '../config/text-file.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';

/** Where a box has its configuration when it was installed by `systemd/install.sh`. */
export const INSTALLED_CONFIG = '/etc/quanwei/gateway.yaml';
/** `NAME=value` lines beside the configuration, for its `${NAME}`. */
const SECRETS = 'secrets.env';

/** What the user said about where things are. */
export interface Place {
  readonly config?: string;
  readonly data?: string;
}

export interface Settings {
  /** Absolute path of the configuration file. */
  readonly file: string;
  /** Every path in it absolute; `data` as the user wants it. */
  readonly config: GatewayConfig;
  readonly warnings: readonly ConfigProblem[];
  readonly locate: Locate;
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
  const { config, ...more } = loadConfig(file, withSecrets(file, process.env));
  return { file, config: place.data === undefined ? config : { ...config, data: resolve(place.data) }, ...more };
}

/** The data directory alone; needs no configuration when it is named. @throws QuanweiError BAD_USE, BAD_CONFIG */
export const dataDirectory = (place: Place): string =>
  place.data === undefined ? loadSettings(place).config.data : resolve(place.data);

/** A person at a terminal gets the same secrets as the service does; what the environment already says, holds. */
function withSecrets(config: string, env: Env): Env {
  const file = join(dirname(config), SECRETS);
  if (!existsSync(file)) return env;
  try {
    const bytes = readFileSync(file);
    const secrets = parseEnv(bytes.toString('utf8'));
    const { problem } = readText(file, bytes);
    // In a comment it harms nobody, and a box that is to come back after a power cut must not stay away for it.
    const wrong = Object.entries(secrets).some(([name, value]) => env[name] === undefined && value?.includes('\uFFFD'));
    if (problem !== null && wrong) throw new QuanweiError('BAD_CONFIG', problem.what, problem);
    return { ...secrets, ...env };
  } catch (cause) {
    if (cause instanceof QuanweiError) throw cause;
    throw new QuanweiError('BAD_CONFIG', messageOf(cause), { where: file, hint: 'sudo quanwei …', cause });
  }
}
