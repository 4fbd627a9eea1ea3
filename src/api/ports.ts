import type { AlarmAction, By } from '../alarms/actions.ts';
import type { Alarm } from '../alarms/alarm.ts';
import type { GatewayConfig } from '../config/schema.ts';
import type { Catalogue } from '../devices/catalogue.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Accounts } from './accounts.ts';

/** The parts of other rooms the API needs, as narrow as it needs them. */
export interface ApiBoard {
  open(): Alarm[];
  get(id: string): Alarm | null;
  transact<T>(work: (tx: ApiTransaction) => T): Promise<T>;
}

export interface ApiTransaction {
  act(action: AlarmAction, by: By): Alarm;
}

export interface ApiDevice {
  readonly id: string;
  readonly name: string;
  readonly place: string;
}

export interface ApiRegistry {
  get(id: string): ApiDevice | null;
  all(): ApiDevice[];
  state(id: string): { readonly online: boolean | null };
}

export interface ApiBroker {
  readonly addresses: readonly { readonly url: string }[];
  /** Counts since the start, of which only the numbers are shown. */
  stats(): object;
}

export interface ApiBridge {
  state(): { readonly connected: boolean; readonly oldestAlarmMs: number };
}

export interface ApiParts {
  readonly journal: Journal;
  readonly board: ApiBoard;
  readonly registry: ApiRegistry;
  readonly catalogue: Catalogue;
  readonly broker: ApiBroker;
  /** `null` when no centre is configured. */
  readonly bridge: ApiBridge | null;
  readonly accounts: Accounts;
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the program. */
  readonly version: string;
  /** The box's own CA; makes the certificate for https when the configuration names none. */
  readonly ca?: { serverIdentity(hosts: readonly string[]): Promise<{ cert: string; key: string }> };
  /** Further counts for `/metrics`. */
  readonly counts?: () => object;
}
