import type { Client } from 'aedes';
import type { Rights } from './access.ts';
import type { WillPacket } from './engine.ts';
import { lets } from './topic-tree.ts';

/** A client that has logged in. */
export class Connection {
  readonly client: Client;
  readonly device: string;
  /** DEVICE/CLIENT-ID: what its session is kept under. */
  readonly key: string;
  readonly address: string;
  readonly secure: boolean;
  /** Hash of the secret, or serial of the certificate, it logged in with. */
  readonly secretHash: string | null;
  readonly serial: string | null;
  /** wall clock, ms since the epoch */
  readonly since: number;
  rights: Rights;
  /** Told by `Roles`: when it changes, the rights may have. */
  rightsVersion: string;
  /** Topic filters it has been granted. */
  readonly filters = new Set<string>();
  will: WillPacket | null = null;
  /** Messages the intake has not answered for. */
  inflight = 0;
  readonly waiting: (() => void)[] = [];
  /** Count of the message last sent, so that overlapping subscriptions get it once. */
  lastSent = -1;
  /** Taken over by a newer connection of the same session; its end means nothing. */
  superseded = false;

  constructor(of: {
    client: Client;
    device: string;
    key: string;
    address: string;
    secure: boolean;
    secretHash: string | null;
    serial: string | null;
    since: number;
    rights: Rights;
    rightsVersion: string;
  }) {
    this.client = of.client;
    this.device = of.device;
    this.key = of.key;
    this.address = of.address;
    this.secure = of.secure;
    this.secretHash = of.secretHash;
    this.serial = of.serial;
    this.since = of.since;
    this.rights = of.rights;
    this.rightsVersion = of.rightsVersion;
  }
}

/** Everybody who has logged in, by session, by device and by aedes' client. */
export class Connections {
  readonly #byClient = new WeakMap<Client, Connection>();
  readonly #byKey = new Map<string, Connection>();
  readonly #byDevice = new Map<string, Set<Connection>>();

  get size(): number {
    return this.#byKey.size;
  }

  get deviceCount(): number {
    return this.#byDevice.size;
  }

  add(connection: Connection): void {
    const before = this.#byKey.get(connection.key);
    if (before !== undefined) {
      before.superseded = true;
      this.#forget(before);
    }
    this.#byClient.set(connection.client, connection);
    this.#byKey.set(connection.key, connection);
    const siblings = this.#byDevice.get(connection.device);
    if (siblings === undefined) this.#byDevice.set(connection.device, new Set([connection]));
    else siblings.add(connection);
  }

  /** @returns whether it was the last of its device */
  remove(connection: Connection): boolean {
    if (this.#byKey.get(connection.key) === connection) this.#byKey.delete(connection.key);
    this.#forget(connection);
    return !this.#byDevice.has(connection.device);
  }

  of(client: Client): Connection | undefined {
    return this.#byClient.get(client);
  }

  at(key: string): Connection | undefined {
    return this.#byKey.get(key);
  }

  /** Oldest first. */
  ofDevice(device: string): Connection[] {
    return [...(this.#byDevice.get(device) ?? [])];
  }

  hasDevice(device: string): boolean {
    return this.#byDevice.has(device);
  }

  /** Whether a connected client of the device has subscribed to the topic. */
  listens(device: string, topic: string): boolean {
    for (const { filters } of this.#byDevice.get(device) ?? []) {
      for (const filter of filters) if (filter === topic || lets(filter, topic)) return true;
    }
    return false;
  }

  all(): IterableIterator<Connection> {
    return this.#byKey.values();
  }

  #forget(connection: Connection): void {
    const siblings = this.#byDevice.get(connection.device);
    siblings?.delete(connection);
    if (siblings?.size === 0) this.#byDevice.delete(connection.device);
  }
}
