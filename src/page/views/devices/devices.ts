import { onScopeDispose } from 'vue';
import { request } from '../../api/request.ts';
import { useLive } from '../../state/live.ts';
import { type Loading, useLoading } from '../../state/loading.ts';
import { pick } from '../../words/words.ts';
import type { Device, DeviceList, Profile } from './types.ts';

/** The list is read again this often for what no entry tells (last seen), ms. */
const READ_AGAIN_MS = 60_000;
/** When a switch fails, fifty devices do: told together, ms. */
const SETTLE_MS = 1_500;

/** Every device; read again when something about one has changed. */
export function useDevices(): Loading<DeviceList> {
  const loading = useLoading((signal) => request<DeviceList>('/api/devices', { signal }), READ_AGAIN_MS);
  whenDevicesChange(() => void loading.read());
  return loading;
}

/** One device, by its id. */
export function useDevice(id: string): Loading<Device> {
  const loading = useLoading((signal) => request<Device>(`/api/devices/${id}`, { signal }), 10_000);
  whenDevicesChange(() => void loading.read());
  return loading;
}

/** Calls `fn` a moment after something about a device was told. */
export function whenDevicesChange(fn: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = useLive().on('device', () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      fn();
    }, SETTLE_MS);
  });
  onScopeDispose(() => {
    stop();
    clearTimeout(timer);
  });
}

/** The models this gateway knows, with a name for each id. */
export function useProfiles(): Loading<readonly Profile[]> & { nameOf: (id: string) => string } {
  const loading = useLoading(
    async (signal) => (await request<{ profiles: Profile[] }>('/api/profiles', { signal })).profiles,
  );
  const nameOf = (id: string) => pick(loading.value.value?.find((one) => one.id === id)?.names, id);
  return { ...loading, nameOf };
}
