import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import type { GatewayConfig } from '../config/schema.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { hostAndPort, type Listener, type TlsIdentity } from './listener.ts';
import type { BrokerCa } from './ports.ts';

export interface ServerTls {
  /** `null` when no address is `mqtts://`. */
  readonly identity: TlsIdentity | null;
  /** Gives the listeners a new certificate when the old one was about to expire. */
  renew(listeners: readonly Listener[]): Promise<void>;
}

/** Looked at this often; a certificate is renewed a month before its end. */
const RENEW_CALLS = 4_320; // 12 h of sweeps

/**
 * What the box shows on `mqtts://`: its own CA's certificate for every name and address it has, or the files of the
 * configuration.
 * @throws QuanweiError BAD_CONFIG
 */
export async function serverTls(config: GatewayConfig['mqtt'], ca: BrokerCa | null): Promise<ServerTls> {
  const secured = config.listen.filter(({ url }) => url.startsWith('mqtts:'));
  if (secured.length === 0) return { identity: null, renew: async () => undefined };
  if (ca === null) throw new QuanweiError('BAD_CONFIG', 'mqtts:// 需要证书 · mqtts:// needs a certificate authority');
  const hosts = [...new Set([...secured.map(({ url }) => hostAndPort(url).host), ...ownNames()])];
  const load = async (): Promise<TlsIdentity> => {
    const files = config.cert === undefined || config.key === undefined ? null : config;
    const pair =
      files === null
        ? await ca.serverIdentity(hosts)
        : { cert: pem(files.cert ?? '', 'mqtt.cert'), key: pem(files.key ?? '', 'mqtt.key') };
    return { ...pair, ca: await ca.certificate() };
  };
  const identity = await load();
  let { cert } = identity;
  let calls = 0;
  return {
    identity,
    renew: async (listeners) => {
      calls += 1;
      if (calls % RENEW_CALLS !== 0) return;
      const next = await load();
      if (next.cert === cert) return;
      cert = next.cert;
      for (const listener of listeners) listener.renew(next);
    },
  };
}

function pem(file: string, where: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new QuanweiError('BAD_CONFIG', `无法读取 · cannot read ${file}: ${messageOf(thrown)}`, {
      where,
      hint: '检查路径和权限，或留空使用自带证书 · name a PEM file this program may read, or leave it out to use the box’s own CA',
      cause: thrown,
    });
  }
}

/** Names and addresses by which a device may know this machine. */
export function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ address }) => !address.startsWith('fe80:'))
    .map(({ address }) => address);
  return [hostname(), 'localhost', ...addresses];
}
