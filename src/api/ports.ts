import type { Board } from '../alarms/board.ts';
import type { IssuedCertificate } from '../broker/ca.ts';
import type { GatewayConfig } from '../config/schema.ts';
import type { Catalogue } from '../devices/catalogue.ts';
import type { Registry } from '../devices/registry.ts';
import type { Doors } from '../doors/commands.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Bridge } from '../upstream/bridge.ts';
import type { Accounts } from './accounts.ts';
import type { CameraSettings } from './camera-settings.ts';
import type { FirstRun } from './first-run.ts';
import type { Settings } from './settings.ts';
import type { VisionLink } from './vision-link.ts';

/** The parts of other rooms the API needs, as narrow as it needs them. */
export interface ApiBroker {
  readonly addresses: readonly { readonly url: string }[];
  /** Counts since the start, of which only the numbers are shown. */
  stats(): object;
  /** Whether a device has a connection of its own now. */
  connected(device: string): boolean;
  /** Puts out whoever may no longer be in. */
  recheck(): Promise<void>;
}

/** The vision process, as the page needs it. */
export interface ApiVision {
  readonly link: VisionLink;
  /** Directory on this box that its `media/` lies in, when it is on this box. */
  readonly data: string;
}

/** The box's own CA, as the page and https need it. */
export interface ApiAuthority {
  serverIdentity(hosts: readonly string[]): Promise<{ cert: string; key: string }>;
  /** What has been made so far, PEM; makes nothing. */
  look(): { readonly ca: string | null; readonly server: string | null };
  /** Certificates of devices, oldest first. */
  list(): IssuedCertificate[];
  revoke(which: string, reason: string | null): Promise<IssuedCertificate[]>;
}

export interface ApiParts {
  readonly journal: Journal;
  readonly board: Board;
  readonly registry: Registry;
  readonly doors: Doors;
  readonly catalogue: Catalogue;
  readonly broker: ApiBroker;
  /** `null` when no centre is configured. */
  readonly bridge: Bridge | null;
  readonly accounts: Accounts;
  /** How the file's cameras are looked at. */
  readonly cameras: CameraSettings;
  /** `null` without cameras. */
  readonly vision?: ApiVision | null;
  /** As in force; `settings` changes it in place. */
  readonly config: GatewayConfig;
  readonly settings: Settings;
  readonly firstRun: FirstRun;
  /** Ends the program once what is under way is answered, where something starts it again; `null` elsewhere. */
  readonly restart?: ((actor: string) => Promise<void>) | null;
  /** Makes the file that whoever helps is given, tar.gz; `null` where there is no program to ask. @throws QuanweiError */
  readonly support?: (() => Promise<Buffer>) | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the program. */
  readonly version: string;
  /** The box's own CA; makes the certificate for https when the configuration names none. */
  readonly ca?: ApiAuthority;
  /** Further counts for `/metrics`. */
  readonly counts?: () => object;
}
