import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceConfig } from '../config/schema.ts';
import type { Change, Draft } from '../journal/entry.ts';
import type { Device } from './device.ts';
import { type DeviceRow, described, deviceOf, differences } from './device.ts';
import { hashSecret } from './secret.ts';

const KEY_FILE = 'device-secrets.key';
const KEY_BYTES = 32;

/** What the file's devices are now, and what has to be recorded because the file changed since the last start. */
export interface FileDevices {
  readonly devices: Device[];
  readonly drafts: Draft[];
  readonly changes: Change[];
  /** Secrets that had to be hashed. */
  readonly hashed: number;
}

/**
 * The configuration file is the authority on its own devices: what is new, changed or gone in it is recorded as such.
 * A secret is hashed once; afterwards a digest with a key that lies apart from the database tells that it is the same,
 * so that a start with 300 devices does not do 300 scrypts, and a stolen database has nothing faster to try than scrypt.
 */
export async function fileDevices(
  configured: readonly DeviceConfig[],
  rows: readonly DeviceRow[],
  dir: string,
): Promise<FileDevices> {
  const key = digestKey(dir);
  const before = new Map(rows.map((row) => [row.id, row]));
  const hashes = new Map<string, Promise<string>>();
  const drafts: Draft[] = [];
  const changes: Change[] = [];
  const devices: Device[] = [];
  const made = await Promise.all(configured.map((config) => build(config, before.get(config.id), key, hashes)));
  for (const { device, digest } of made) {
    const row = before.get(device.id);
    before.delete(device.id);
    const changed = row === undefined ? null : differences(deviceOf(row), device);
    devices.push(device);
    if (changed !== null && Object.keys(changed).length === 0) continue;
    changes.push(rowChange(device, digest));
    drafts.push(
      changed === null
        ? audit('device.registered', device.id, described(device))
        : audit('device.updated', device.id, { changed }),
    );
  }
  for (const row of before.values()) {
    if (row.managed !== 'file') continue;
    changes.push({ sql: 'DELETE FROM devices WHERE id = ?', params: [row.id] });
    changes.push({ sql: 'DELETE FROM device_states WHERE id = ?', params: [row.id] });
    drafts.push(audit('device.removed', row.id, described(deviceOf(row))));
  }
  return { devices, drafts, changes, hashed: hashes.size };
}

const audit = (kind: Draft['kind'], id: string, told: Record<string, unknown>): Draft => ({
  kind,
  actor: 'system',
  subject: id,
  lane: 2,
  body: { source: 'gateway.yaml', ...told },
});

async function build(
  config: DeviceConfig,
  row: DeviceRow | undefined,
  key: Buffer,
  hashes: Map<string, Promise<string>>,
): Promise<{ device: Device; digest: Buffer | null }> {
  const { id } = config;
  const secret = config.hub === undefined ? config.secret : undefined;
  const digest = secret === undefined ? null : createHmac('sha256', key).update(`${id}\n${secret}`).digest();
  let secretHash: string | null = null;
  if (secret !== undefined && digest !== null) {
    if (row?.secret_digest?.equals(digest) === true) secretHash = row.secret_hash;
    else {
      const known = hashes.get(secret) ?? hashSecret(secret, 'device');
      hashes.set(secret, known);
      secretHash = await known;
    }
  }
  return { device: configuredDevice(config, secretHash), digest };
}

/** A device of the file, as it will be registered. */
export function configuredDevice(config: DeviceConfig, secretHash: string | null): Device {
  const { id, profile, name = id, place, hub = null, parent = null, params, silentAfter = null } = config;
  const made = {
    id,
    profile,
    name,
    place,
    hub,
    parent,
    params,
    silentAfter,
    secretHash,
    managed: 'file',
    enabled: true,
  };
  return made as Device;
}

/** Made on the first start. Without it (a restored backup) every secret is hashed once more, and nothing else happens. */
function digestKey(dir: string): Buffer {
  const file = join(dir, KEY_FILE);
  if (existsSync(file)) {
    const key = readFileSync(file);
    if (key.length === KEY_BYTES) return key;
  }
  const key = randomBytes(KEY_BYTES);
  writeFileSync(file, key, { mode: 0o600 });
  return key;
}

/** The device as its row. @param digest of a secret that stands in the file */
export const rowChange = (device: Device, digest: Buffer | null): Change => ({
  sql: `INSERT OR REPLACE INTO devices
    (id, managed, profile, name, place, hub, parent, params, silent_after, enabled, secret_hash, secret_digest)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  params: [
    device.id,
    device.managed,
    device.profile,
    device.name,
    device.place,
    device.hub,
    device.parent,
    JSON.stringify(device.params),
    device.silentAfter,
    Number(device.enabled),
    device.secretHash,
    digest,
  ],
});
