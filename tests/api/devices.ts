import type { ApiDevice, ApiParts } from '../../src/api/ports.ts';

const device = (id: string): ApiDevice => ({
  id,
  name: id,
  place: '1号楼/大厅',
  profile: 'face-oem-mqtt',
  hub: null,
  parent: null,
  secretHash: 'scrypt$x',
  managed: 'file',
  enabled: true,
  silentAfter: null,
  params: {},
});

/** Stand-in */
export async function devices(_: object): Promise<Pick<ApiParts, 'registry' | 'doors' | 'broker' | 'catalogue'>> {
  const all = [device('door-1'), device('sos-1')];
  return {
    registry: {
      all: () => all,
      get: (id) => all.find((one) => one.id === id) ?? null,
      state: () => ({ online: true, lastSeen: 1, battery: null, firmware: null, address: null }),
      candidates: () => [],
    },
    doors: { list: () => [] } as never,
    catalogue: null as never,
    broker: { addresses: [{ url: 'mqtt://127.0.0.1:1883' }], stats: () => ({}), recheck: async () => undefined },
  };
}
