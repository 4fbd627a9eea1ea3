import type { DeviceInfo } from '../devices/binding.ts';
import type { Log } from '../kernel/log.ts';
import type { Connection, Connections } from './connection.ts';
import type { Counters } from './counters.ts';
import type { Identity } from './identity.ts';
import { LIMITS } from './limits.ts';
import type { BrokerDevice, BrokerRegistry } from './ports.ts';
import type { Roles } from './roles.ts';
import type { Sessions } from './sessions.ts';

export interface SweepParts<D extends BrokerDevice & DeviceInfo> {
  readonly registry: BrokerRegistry<D>;
  readonly identity: Identity<D>;
  readonly connections: Connections;
  readonly sessions: Sessions;
  readonly roles: Roles<D>;
  readonly counters: Counters;
  readonly log: Log;
}

/** What a login was worth when it was made may be worth nothing now: looked at every now and then. */
export class Sweep<D extends BrokerDevice & DeviceInfo> {
  readonly #parts: SweepParts<D>;

  constructor(parts: SweepParts<D>) {
    this.#parts = parts;
  }

  /** One device has changed. */
  look(device: string): void {
    for (const connection of this.#parts.connections.ofDevice(device)) this.#judge(connection);
  }

  async run(): Promise<void> {
    const { registry, connections, sessions } = this.#parts;
    for (const connection of [...connections.all()]) this.#judge(connection);
    for (const device of sessions.devices()) {
      const gone = registry.get(device)?.enabled !== true;
      for (const client of sessions.of(device)) {
        const away = connections.at(client) === undefined;
        if (away && (gone || sessions.unseenFor(client) > LIMITS.sessionExpiry)) await sessions.forget(client);
      }
    }
  }

  #judge(connection: Connection): void {
    const { identity, roles, counters, log } = this.#parts;
    const { device, secretHash, serial } = connection;
    if (!identity.stillWelcome(device, secretHash, serial)) {
      counters.drop('overruled');
      log.info({ device }, 'connection closed: the device is no longer let in');
      connection.client.close();
    } else if (connection.rightsVersion !== roles.versionOf(device)) {
      roles.renew(connection);
    }
  }
}
