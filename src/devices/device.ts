import { z } from 'zod';
import { Id } from '../config/schema.ts';
import type { DeviceInfo } from './binding.ts';

/** A registered device. Never changed in place: a device that changes is a new object. */
export interface Device extends DeviceInfo {
  readonly profile: string;
  /** The hub that speaks for it; it then has no login of its own. */
  readonly hub: string | null;
  /** What it depends on (switch, power supply): while that is silent, so may this be. */
  readonly parent: string | null;
  /** `null`: it logs in with a certificate, or not at all. */
  readonly secretHash: string | null;
  /** Where it is changed: in the configuration file, or on the page. */
  readonly managed: 'file' | 'page';
  /** ms of silence that are an alarm; `null`: as its profile says. */
  readonly silentAfter: number | null;
  /** `false`: not let in, not supervised, not commanded. */
  readonly enabled: boolean;
}

/** How a device is, as far as it told. Times are ms since the epoch by the gateway's clock. */
export interface DeviceState {
  /** `null` until it has been heard for the first time. */
  readonly online: boolean | null;
  /** Since when `online` is what it is. */
  readonly since: number | null;
  readonly lastSeen: number | null;
  /** 0–100 */
  readonly battery: number | null;
  readonly batteryLow: boolean;
  readonly firmware: string | null;
  readonly address: string | null;
  /** ms its own clock is ahead of ours. */
  readonly clockOffset: number | null;
  readonly clockWrong: boolean;
}

const PLAIN = /^[^\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069]*$/u;
const Text = (max: number) => z.string().trim().max(max).regex(PLAIN, 'one line of plain text');

const fields = {
  profile: Id,
  name: Text(200).min(1),
  place: Text(200),
  hub: Id.nullable(),
  parent: Id.nullable(),
  params: z.record(Text(64), Text(200)),
  silentAfter: z
    .int()
    .min(1_000)
    .max(366 * 86_400_000)
    .nullable()
    .describe('ms; null: as the profile says'),
  enabled: z.boolean(),
};

/** A device to be registered. */
export const DeviceDraft = z.strictObject({
  id: Id,
  profile: fields.profile,
  name: fields.name.optional().describe('Default: the id'),
  place: fields.place.default(''),
  hub: fields.hub.default(null),
  parent: fields.parent.default(null),
  params: fields.params.default({}),
  silentAfter: fields.silentAfter.default(null),
  enabled: fields.enabled.default(true),
  secret: z.string().min(12).max(200).optional().describe('Default: one is made and told once'),
});
export type DeviceDraft = z.input<typeof DeviceDraft>;

/** What of a device can be changed; what is left out stays. */
export const DevicePatch = z.strictObject(fields).partial();
export type DevicePatch = z.input<typeof DevicePatch>;

export interface DeviceRow {
  readonly id: string;
  readonly managed: 'file' | 'page';
  readonly profile: string;
  readonly name: string;
  readonly place: string;
  readonly hub: string | null;
  readonly parent: string | null;
  readonly params: string;
  readonly silent_after: number | null;
  readonly enabled: number;
  readonly secret_hash: string | null;
  readonly secret_digest: Buffer | null;
}

export const deviceOf = (row: DeviceRow): Device => ({
  id: row.id,
  name: row.name,
  place: row.place,
  params: JSON.parse(row.params) as Record<string, string>,
  profile: row.profile,
  hub: row.hub,
  parent: row.parent,
  secretHash: row.secret_hash,
  managed: row.managed,
  silentAfter: row.silent_after,
  enabled: row.enabled === 1,
});

/** What a device's audit entry tells of it; its secret never. */
export function described(device: Device): Record<string, unknown> {
  const { secretHash, id, ...told } = device;
  return { ...told, hasSecret: secretHash !== null };
}

/** The fields in which two differ, as the second has them. */
export function differences(before: Device, after: Device): Record<string, unknown> {
  const [was, is] = [described(before), described(after)];
  const changed = Object.entries(is).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(was[key]));
  if (before.secretHash !== after.secretHash)
    changed.push(['secret', after.secretHash === null ? 'removed' : 'changed']);
  return Object.fromEntries(changed);
}
