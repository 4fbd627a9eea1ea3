import type { DeviceInfo } from '../devices/binding.ts';
import type { Catalogue } from '../devices/catalogue.ts';
import { topicsOf } from '../devices/encode.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { Rights } from './access.ts';
import type { Connection } from './connection.ts';
import type { BrokerDevice, BrokerRegistry } from './ports.ts';

/** A device that keeps asking for what it may not have makes its rights be worked out anew this often, ms. */
const REFRESH_MS = 1_000;

export interface RolesParts<D extends BrokerDevice & DeviceInfo> {
  readonly registry: BrokerRegistry<D>;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly log: Log;
  readonly maxLevels: number;
}

/** What each device may do, from its profile, its parameters and, for a hub, the devices it speaks for. */
export class Roles<D extends BrokerDevice & DeviceInfo> {
  readonly #parts: RolesParts<D>;
  readonly #refreshed = new WeakMap<Connection, number>();

  constructor(parts: RolesParts<D>) {
    this.#parts = parts;
  }

  /** `null` for a device that does not exist; no rights at all for one whose profile does not fit. */
  rightsOf(id: string): Rights | null {
    const { registry, catalogue, log, maxLevels } = this.#parts;
    const device = registry.get(id);
    if (device === null) return null;
    try {
      const profile = catalogue.get(device.profile);
      const children = registry
        .children(id)
        .filter((child) => catalogue.has(child.profile))
        .map((child) => ({ device: child, profile: catalogue.get(child.profile) }));
      return new Rights(topicsOf(profile, device, children), maxLevels);
    } catch (thrown) {
      log.error({ err: thrown, device: id }, 'the device’s topics cannot be told');
      return new Rights({ publish: [], subscribe: [] }, maxLevels);
    }
  }

  /** Changes when the device's topics may have. */
  versionOf(id: string): string {
    const device = this.#parts.registry.get(id);
    return device === null ? '' : `${device.profile} ${JSON.stringify(device.params)}`;
  }

  /** Something was asked for that the device may not have: it may by now (a child registered behind its hub). */
  refresh(connection: Connection): void {
    const now = this.#parts.clock.mono();
    const last = this.#refreshed.get(connection);
    if (last !== undefined && now - last < REFRESH_MS) return;
    this.#refreshed.set(connection, now);
    this.renew(connection);
  }

  renew(connection: Connection): void {
    const rights = this.rightsOf(connection.device);
    if (rights === null) return;
    connection.rights = rights;
    connection.rightsVersion = this.versionOf(connection.device);
  }
}
