import { computed, onScopeDispose, shallowRef } from 'vue';
import { Refused, request } from '../../api/request.ts';
import type { Device, DeviceList } from '../../api/types.ts';
import { useAlarms } from '../../state/alarms.ts';
import { useLive } from '../../state/live.ts';
import { useLoading } from '../../state/loading.ts';
import { byDevice, layerOf, troubleOf } from './pins.ts';
import type { Area, Pin, Plan, PlanList, Point, Spot } from './types.ts';

/** Bytes; the gateway refuses more. */
export const LARGEST_FILE = 10 * 1024 * 1024;
export const KINDS: readonly string[] = ['image/png', 'image/jpeg', 'image/webp'];
/** A large picture over a slow wireless, and drawn anew on a slow box. */
const UPLOAD_MS = 90_000;
const DEVICES_MS = 30_000;
/** What is said about devices in this time is read once. */
const GATHER_MS = 1_500;

interface All {
  readonly list: PlanList;
  readonly devices: readonly Device[];
  readonly kinds: ReadonlyMap<string, string>;
}

/** Plans, places, devices and alarms as they are now; what is changed here is drawn at once and taken back when refused. */
export function usePlans() {
  const alarms = useAlarms();
  const live = useLive();
  const loading = useLoading<All>(async (signal) => {
    const [list, { devices }, { profiles }] = await Promise.all([
      request<PlanList>('/api/plans', { signal }),
      request<DeviceList>('/api/devices', { signal }),
      request<{ profiles: { id: string; kind: string }[] }>('/api/profiles', { signal }),
    ]);
    return { list, devices, kinds: new Map(profiles.map(({ id, kind }) => [id, kind])) };
  }, DEVICES_MS);

  let gathering: ReturnType<typeof setTimeout> | undefined;
  const soon = (): void => {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      void loading.read();
    }, GATHER_MS);
  };
  const stops = [live.on('device', soon), live.on('plan', soon)];
  onScopeDispose(() => {
    clearTimeout(gathering);
    for (const stop of stops) stop();
  });

  /** Where a hand has just put something, until the gateway's word about it has come. */
  const moved = shallowRef<ReadonlyMap<string, Spot | null>>(new Map());
  const plans = computed<readonly Plan[]>(() => loading.value.value?.list.plans ?? []);
  const devices = computed(() => new Map((loading.value.value?.devices ?? []).map((device) => [device.id, device])));
  const spots = computed(() => {
    const map = new Map((loading.value.value?.list.spots ?? []).map((spot) => [spot.device, spot]));
    for (const [device, spot] of moved.value) {
      if (spot === null) map.delete(device);
      else map.set(device, spot);
    }
    return map;
  });
  const troubles = computed(() => byDevice(alarms.open));
  const unplaced = computed(() => [...devices.value.values()].filter(({ id }) => !spots.value.has(id)));
  const layer = (device: Device) => layerOf(loading.value.value?.kinds.get(device.profile), device.lifeSafety);

  const pinsOf = (plan: string): Pin[] =>
    [...spots.value.values()].flatMap((spot) => {
      const device = devices.value.get(spot.device);
      if (spot.plan !== plan || device === undefined) return [];
      const trouble = troubleOf(troubles.value.get(device.id) ?? []);
      return [{ device, layer: layer(device), x: spot.x, y: spot.y, trouble }];
    });

  async function settle(device: string, to: Spot | null, ask: () => Promise<unknown>): Promise<void> {
    moved.value = new Map(moved.value).set(device, to);
    try {
      await ask();
      await loading.read();
    } finally {
      const left = new Map(moved.value);
      if (left.get(device) === to) left.delete(device);
      moved.value = left;
    }
  }
  /** @throws Refused */
  const place = (device: string, plan: string, [x, y]: Point): Promise<void> =>
    settle(device, { device, plan, x, y }, () =>
      request(`/api/spots/${encodeURIComponent(device)}`, { method: 'PUT', body: { plan, x, y } }),
    );
  /** @throws Refused */
  const takeOff = (device: string): Promise<void> =>
    settle(device, null, () => request(`/api/spots/${encodeURIComponent(device)}`, { method: 'DELETE' }));

  /** Does it and reads everything again. @throws Refused */
  async function change<T>(path: string, method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', body?: unknown): Promise<T> {
    const answer = await request<T>(path, body === undefined ? { method } : { method, body });
    await loading.read();
    return answer;
  }
  const saveArea = (plan: string, area: Omit<Area, 'id' | 'plan'>, id: string | null): Promise<Area> =>
    id === null ? change(`/api/plans/${plan}/areas`, 'POST', area) : change(`/api/areas/${id}`, 'PUT', area);

  /** @param plan whose picture it is from now on; `null`: a new one called `name` @throws Refused */
  async function upload(file: File, name: string, plan: string | null): Promise<Plan> {
    const path = plan === null ? `/api/plans?name=${encodeURIComponent(name)}` : `/api/plans/${plan}/picture`;
    let answer: Response;
    try {
      answer = await fetch(path, {
        method: plan === null ? 'POST' : 'PUT',
        headers: { 'content-type': file.type },
        body: file,
        signal: AbortSignal.timeout(UPLOAD_MS),
      });
    } catch {
      throw new Refused(0, {
        error: { code: 'UNREACHABLE', message: '上传中断，请重试 · the upload broke off; try again' },
      });
    }
    const value: unknown = await answer.json().catch(() => null);
    if (!answer.ok) throw new Refused(answer.status, value as ConstructorParameters<typeof Refused>[1]);
    await loading.read();
    return value as Plan;
  }

  return { loading, plans, devices, spots, unplaced, layer, pinsOf, place, takeOff, change, saveArea, upload, alarms };
}
export type Plans = ReturnType<typeof usePlans>;
