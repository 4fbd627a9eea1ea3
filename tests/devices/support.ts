import { BUILT_IN_PROFILES, type Catalogue, loadCatalogue } from '../../src/devices/catalogue.ts';
import type { Profile } from '../../src/devices/compile.ts';
import { type Decoded, type DeviceInfo, decode } from '../../src/devices/decode.ts';

export const NOW = Date.UTC(2026, 5, 1, 4);

let loaded: Catalogue | null = null;
/** The shipped profiles, read once per test file. */
export function catalogue(): Catalogue {
  loaded ??= loadCatalogue([BUILT_IN_PROFILES]);
  return loaded;
}

export const device = (id: string, params: Record<string, string> = {}): DeviceInfo => ({
  id,
  name: id,
  place: '',
  params,
});

export interface Told {
  readonly profile: string;
  readonly device: DeviceInfo;
  readonly topic: string;
  readonly payload: unknown;
  readonly retain?: boolean;
  readonly now?: number;
  readonly timezone?: string;
  readonly children?: readonly { key: string; device: DeviceInfo; profile: string }[];
}

/** Decodes what a device says; `payload` is bytes, text, or anything JSON can hold. */
export function tell(told: Told): Decoded {
  const { payload } = told;
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload), 'utf8');
  return decode(catalogue().get(told.profile), {
    device: told.device,
    topic: told.topic,
    payload: bytes,
    retain: told.retain ?? false,
    now: told.now ?? NOW,
    timezone: told.timezone ?? 'Asia/Shanghai',
    childOf: (key): { device: DeviceInfo; profile: Profile } | null => {
      const child = told.children?.find((one) => one.key === key);
      return child === undefined ? null : { device: child.device, profile: catalogue().get(child.profile) };
    },
  });
}
