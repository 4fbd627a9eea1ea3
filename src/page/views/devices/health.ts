import type { Device } from './types.ts';

export type Health = 'online' | 'offline' | 'never' | 'disabled';
export type Trouble = 'offline' | 'never' | 'battery' | 'clock';

export function healthOf({ enabled, state }: Device): Health {
  if (!enabled) return 'disabled';
  return state.online === null ? 'never' : state.online ? 'online' : 'offline';
}

/** What somebody should see to. One that is switched off troubles nobody. */
export function troublesOf(device: Device): Trouble[] {
  const health = healthOf(device);
  if (health === 'disabled') return [];
  return [
    ...(health === 'offline' || health === 'never' ? [health] : []),
    ...(device.state.batteryLow ? (['battery'] as const) : []),
    ...(device.state.clockWrong ? (['clock'] as const) : []),
  ];
}

const WEIGHT: Record<Trouble, number> = { offline: 8, battery: 4, never: 2, clock: 1 };

/** The more a person is needed, the higher up: what a life hangs on before everything else in the same plight. */
export function byNeed(a: Device, b: Device): number {
  return needOf(b) - needOf(a) || a.name.localeCompare(b.name, 'zh', { numeric: true }) || a.id.localeCompare(b.id);
}

function needOf(device: Device): number {
  if (!device.enabled) return -1;
  const need = troublesOf(device).reduce((sum, trouble) => sum + WEIGHT[trouble], 0);
  return need === 0 ? 0 : need * 2 + (device.lifeSafety ? 16 : 0);
}

/** Whether every word of `text` stands somewhere in what is said of the device. */
export function fits(device: Device, modelName: string, text: string): boolean {
  const { id, name, place, profile, hub, state } = device;
  const said = [id, name, place, profile, modelName, hub ?? '', state.address ?? ''].join('\n').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}
