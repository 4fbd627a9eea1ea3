import type { Inbound } from '../intake/inbound.ts';
import type { Draft, Entry } from '../journal/entry.ts';
import type { Cancel } from '../kernel/clock.ts';
import type { SessionStore } from './write-behind.ts';

/** The parts of other rooms the broker needs, as narrow as it needs them. */
export interface BrokerDevice {
  readonly id: string;
  readonly profile: string;
  /** The hub that speaks for it; such a device has no login of its own. */
  readonly hub: string | null;
  readonly secretHash: string | null;
  readonly enabled: boolean;
}

export interface BrokerRegistry<D extends BrokerDevice = BrokerDevice> {
  get(id: string): D | null;
  children(hub: string): readonly D[];
  /** Somebody unknown knocked: listed for a person to decide, never let in. */
  candidate(knock: { via: string | null; key: string; hint: string }): void;
  /** Whether a life may hang on it. */
  lifeSafety(id: string): boolean;
  /** Calls `fn` when a device is registered, changed or removed. */
  onChange(fn: (id: string) => void): Cancel;
}

export interface BrokerIntake {
  /** Resolves when it is on disk; rejects when the sender must not be told so. */
  receive(message: Inbound): Promise<void>;
}

export interface BrokerJournal extends SessionStore {
  append(drafts: readonly Draft[]): Promise<Entry[]>;
}

/** The box's own CA as the listeners see it; only `mqtts://` needs one. */
export interface BrokerCa {
  /** PEM */
  certificate(): Promise<string>;
  /** Certificate and key of this box for these names and addresses (PEM); renewed when it is about to expire. */
  serverIdentity(hosts: readonly string[]): Promise<{ cert: string; key: string }>;
  /** @param serial as a peer certificate tells it: hexadecimal */
  revoked(serial: string): boolean;
}
