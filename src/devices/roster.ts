import { childKey } from './binding.ts';
import type { Device } from './device.ts';

/** The registered devices, found by id, by hub, and by the name their hub knows them by. */
export class Roster {
  readonly #devices = new Map<string, Device>();
  readonly #behind = new Map<string, Map<string, Device>>();

  #version = 0;

  /** Rises whenever a device is registered, changed or removed. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#devices.size;
  }

  get(id: string): Device | null {
    return this.#devices.get(id) ?? null;
  }

  all(): Device[] {
    return [...this.#devices.values()];
  }

  children(hub: string): Device[] {
    const behind = this.#behind.get(hub);
    return behind === undefined ? [] : [...behind.values()];
  }

  childOf(hub: string, key: string): Device | null {
    return this.#behind.get(hub)?.get(key) ?? null;
  }

  /** In the place of the one with the same id, if there is one. */
  put(device: Device): void {
    this.#version += 1;
    const before = this.#devices.get(device.id);
    if (before !== undefined) this.#leave(before);
    this.#devices.set(device.id, device);
    if (device.hub === null) return;
    const behind = this.#behind.get(device.hub) ?? new Map<string, Device>();
    behind.set(childKey(device), device);
    this.#behind.set(device.hub, behind);
  }

  remove(id: string): void {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    this.#version += 1;
    this.#leave(device);
    this.#devices.delete(id);
  }

  #leave(device: Device): void {
    if (device.hub === null) return;
    const behind = this.#behind.get(device.hub);
    if (behind?.get(childKey(device))?.id === device.id) behind.delete(childKey(device));
  }
}
