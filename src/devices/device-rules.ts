import type { Locate } from '../config/load.ts';
import { QuanweiError } from '../kernel/errors.ts';
import { childKey, resolveParams } from './binding.ts';
import type { Catalogue } from './catalogue.ts';
import type { Device } from './device.ts';
import type { Roster } from './roster.ts';

/** Devices a registry knows at most. */
export const MOST_DEVICES = 20_000;

/** What is wrong with a device, and which of its keys says so. */
export interface DeviceFault {
  readonly key: 'profile' | 'params' | 'hub' | 'parent';
  readonly what: string;
  readonly hint: string;
}

/** What is wrong with a device among the others, or `null`. */
export function faultOf(
  device: Device,
  others: { get(id: string): Device | null | undefined; childOf(hub: string, key: string): Device | null },
  catalogue: Catalogue,
): DeviceFault | null {
  if (!catalogue.has(device.profile)) {
    const known = catalogue.all().map(({ id }) => id);
    return {
      key: 'profile',
      what: `没有此型号 · there is no device profile ${device.profile}`,
      hint: `known: ${known.join(', ')}`,
    };
  }
  try {
    resolveParams(catalogue.get(device.profile), device);
  } catch (thrown) {
    if (!(thrown instanceof QuanweiError)) throw thrown;
    return { key: 'params', what: thrown.message, hint: thrown.hint ?? 'see docs/device-profiles.md' };
  }
  return faultOfHub(device, others, catalogue) ?? faultOfParent(device, others);
}

/**
 * What is wrong with the devices of a configuration; `roster` knows all of them.
 * @param locate where in the file they stand, when they come from one
 */
export const faultsOf = (
  devices: readonly Device[],
  roster: Roster,
  catalogue: Catalogue,
  locate?: Locate,
): { id: string; where: string; what: string; hint: string }[] =>
  devices.flatMap((device, i) => {
    const fault = faultOf(device, roster, catalogue);
    if (fault === null) return [];
    const { key, what, hint } = fault;
    const place = locate === undefined ? '' : `${locate(['devices', i, key])}: `;
    return [{ id: device.id, where: `${place}devices[${i}] (${device.id})`, what, hint }];
  });

type Others = Parameters<typeof faultOf>[1];

function faultOfHub(device: Device, others: Others, catalogue: Catalogue): DeviceFault | null {
  if (device.hub === null) return null;
  const hub = others.get(device.hub) ?? null;
  if (hub === null || hub.id === device.id) {
    return { key: 'hub', what: `没有此中心 · there is no hub ${device.hub}`, hint: 'register the hub first' };
  }
  if (hub.hub !== null) {
    return {
      key: 'hub',
      what: `${hub.id} 自己也在中心之后 · ${hub.id} is itself behind a hub`,
      hint: 'one hub is enough',
    };
  }
  if (catalogue.has(hub.profile) && catalogue.get(hub.profile).hub === undefined) {
    return {
      key: 'hub',
      what: `${hub.id} 不是中心 · ${hub.id} is no hub: its profile ${hub.profile} speaks for nobody`,
      hint: 'a hub profile, such as zigbee2mqtt-hub',
    };
  }
  const twin = others.childOf(hub.id, childKey(device));
  if (twin !== null && twin.id !== device.id) {
    return {
      key: 'params',
      what: `${twin.id} 已是 ${hub.id} 的 ${childKey(device)} · ${twin.id} is already ${childKey(device)} behind ${hub.id}`,
      hint: 'params: { key: … } is the name its hub knows it by, one for each device',
    };
  }
  return null;
}

function faultOfParent(device: Device, others: Others): DeviceFault | null {
  const way = [device.id];
  for (let id = device.parent; id !== null; ) {
    const next = id === device.id ? device : (others.get(id) ?? null);
    if (next === null) {
      return { key: 'parent', what: `没有上级设备 · there is no parent ${id}`, hint: 'register the parent first' };
    }
    if (way.includes(id)) {
      return {
        key: 'parent',
        what: `上级成环 · parents go round in a circle: ${[...way, id].join(' → ')}`,
        hint: 'break it',
      };
    }
    way.push(id);
    id = next.parent;
  }
  return null;
}
