import { randomBytes } from 'node:crypto';
import type { DeviceConfig } from '../config/schema.ts';
import { pick, seeded, seedOf } from './random.ts';
import { type SimulateOptions, type Simulation, simulate } from './simulate.ts';

type Entry = Partial<DeviceConfig> & Pick<DeviceConfig, 'id' | 'profile' | 'place'> & { name: string };

/** The demo compound: what a real one of some twenty buildings has, a few of each. */
const DEVICES: readonly Entry[] = [
  { id: 'door-3-1', profile: 'face-oem-mqtt', name: '3 号楼 1 单元门', place: '3 号楼/1 单元' },
  { id: 'door-3-2', profile: 'face-oem-mqtt', name: '3 号楼 2 单元门', place: '3 号楼/2 单元' },
  { id: 'door-5-1', profile: 'face-oem-mqtt', name: '5 号楼 1 单元门', place: '5 号楼/1 单元' },
  { id: 'gate-south', profile: 'face-topic-face', name: '南门人行通道', place: '南门' },
  { id: 'gate-west', profile: 'esphome-lock', name: '西门锁', place: '西门' },
  { id: 'callpoint-3', profile: 'tasmota-contact', name: '3 号楼手报', place: '3 号楼/1 层' },
  { id: 'callpoint-5', profile: 'tasmota-contact', name: '5 号楼手报', place: '5 号楼/1 层' },
  { id: 'callpoint-garage', profile: 'shelly-gen2', name: '地下车库手报', place: '地下车库' },
  { id: 'zigbee-1', profile: 'zigbee2mqtt-hub', name: '1 号 Zigbee 中心', place: '保安室' },
  {
    id: 'sos-3-101',
    profile: 'zigbee-sos-button',
    name: '101 室老人按钮',
    place: '3 号楼/1 单元/101',
    hub: 'zigbee-1',
  },
  {
    id: 'fire-3-6',
    profile: 'zigbee-sos-button',
    name: '3 号楼 6 层消防按钮',
    place: '3 号楼/6 层',
    hub: 'zigbee-1',
    params: { category: 'fire.button' },
  },
  { id: 'smoke-3-302', profile: 'zigbee-smoke-gas', name: '302 室烟感', place: '3 号楼/1 单元/302', hub: 'zigbee-1' },
  { id: 'gas-5-201', profile: 'zigbee-smoke-gas', name: '201 室燃气', place: '5 号楼/1 单元/201', hub: 'zigbee-1' },
  { id: 'lora-1', profile: 'chirpstack-hub', name: 'LoRaWAN 服务器', place: '机房' },
  {
    id: 'sos-club',
    profile: 'chirpstack-sos-ws101',
    name: '老人活动室按钮',
    place: '活动中心',
    hub: 'lora-1',
    params: { key: '24e124535b316056' },
  },
  {
    id: 'cam-east',
    profile: 'onvif-ej-mqtt',
    name: '东墙摄像机',
    place: '东墙',
    params: { lineCategory: 'intrusion.climb' },
  },
  { id: 'nvr-1', profile: 'frigate-reviews', name: '监控室 Frigate', place: '监控室' },
  {
    id: 'cam-north',
    profile: 'frigate-camera',
    name: '北墙摄像机',
    place: '北墙',
    hub: 'nvr-1',
    params: { key: 'north' },
  },
  { id: 'bad-1', profile: 'zigbee-sos-button', name: '坏设备（演示）', place: '库房' },
];

/** Doors that a level-1 fire alarm opens in the demo. */
const FIRE_RELEASES = ['door-3-1', 'door-3-2', 'door-5-1', 'gate-south', 'gate-west'] as const;

/** What happens in the demo, and how long after its start, ms. Then it begins again. */
const SCENES: readonly { at: number; device: string; sample: string }[] = [
  { at: 8_000, device: 'callpoint-5', sample: 'the button is pressed' },
  { at: 25_000, device: 'cam-east', sample: 'a person crosses the line' },
  { at: 40_000, device: 'zigbee-1', sample: 'a button behind it is pressed' },
  { at: 60_000, device: 'door-3-1', sample: 'a person on the block list is refused' },
  { at: 75_000, device: 'nvr-1', sample: 'an alert of a registered camera' },
  { at: 95_000, device: 'nvr-1', sample: 'it is over' },
  { at: 110_000, device: 'lora-1', sample: 'a button behind it is pressed' },
  { at: 130_000, device: 'door-5-1', sample: 'an e-bike in the lift' },
  { at: 150_000, device: 'gate-west', sample: 'the lock is stuck' },
];
const ROUND_MS = 300_000;
const MISCHIEF_MS = 7_000;

export interface DemoCompound {
  /** For `devices` of gateway.yaml, with secrets. */
  readonly devices: DeviceConfig[];
  /** For `alarms.fireReleases` of gateway.yaml. */
  readonly fireReleases: string[];
  /** Logs all of them in and lets a day in the compound pass quickly. */
  play(
    options: Pick<SimulateOptions, 'url' | 'catalogue' | 'clock' | 'log'> & Partial<SimulateOptions>,
  ): Promise<Simulation>;
}

/**
 * @param secret makes each device's password; by default a new one every time, so that a demo on a real network is not
 *   open to whoever has read this file
 */
export function demoCompound(
  secret: (id: string) => string = () => randomBytes(12).toString('base64url'),
): DemoCompound {
  const devices = DEVICES.map(
    ({ hub, params, ...entry }): DeviceConfig => ({
      ...entry,
      params: params ?? {},
      ...(hub === undefined ? { secret: secret(entry.id) } : { hub }),
    }),
  );
  return {
    devices,
    fireReleases: [...FIRE_RELEASES],
    play: async (options) => {
      const simulation = await simulate({ rate: 0.5, incidents: 0, ...options, devices: options.devices ?? devices });
      const timers = [...scenes(simulation, options), ...mischief(simulation, options)];
      const { stop } = simulation;
      return {
        ...simulation,
        stop: () => {
          for (const timer of timers) timer.cancel();
          return stop();
        },
      };
    },
  };
}

function scenes({ players }: Simulation, { clock }: Pick<SimulateOptions, 'clock'>) {
  return SCENES.flatMap(({ at, device, sample }) => {
    const show = (): void => void players.get(device)?.tell(sample);
    // One handle a scene: it shows at `at`, and every round after that.
    const rounds: { cancel(): void }[] = [];
    const first = clock.after(at, () => {
      show();
      rounds.push(clock.every(ROUND_MS, show));
    });
    return [first, { cancel: () => rounds.forEach((round) => void round.cancel()) }];
  });
}

/** What the bad device does: everything a gateway must bear, through a login that is right. */
export const MISCHIEF: readonly {
  readonly what: string;
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly retain?: boolean;
}[] = [
  { what: 'not JSON', topic: 'zigbee2mqtt/bad-1', payload: 'emergency!!' },
  { what: 'half a message', topic: 'zigbee2mqtt/bad-1', payload: '{"action":"emer' },
  { what: 'invalid UTF-8', topic: 'zigbee2mqtt/bad-1', payload: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) },
  { what: 'deep JSON', topic: 'zigbee2mqtt/bad-1', payload: '['.repeat(5_000) },
  { what: 'wrong types', topic: 'zigbee2mqtt/bad-1', payload: '{"action":{"a":1},"battery":"full","sos":[]}' },
  { what: 'huge numbers', topic: 'zigbee2mqtt/bad-1', payload: '{"battery":1e999,"voltage":99999999999999999999999}' },
  {
    what: 'prototype keys',
    topic: 'zigbee2mqtt/bad-1',
    payload: '{"__proto__":{"action":"emergency"},"constructor":1}',
  },
  { what: 'a press long ago, retained', topic: 'zigbee2mqtt/bad-1', payload: '{"action":"emergency"}', retain: true },
  { what: "another device's topic", topic: 'zigbee2mqtt/fire-3-6', payload: '{"action":"emergency"}' },
  {
    what: "a door's topic",
    topic: 'mqtt/face/door-3-1/Rec',
    payload: '{"operator":"RecPush","info":{"VerifyStatus":"1"}}',
  },
  { what: 'a topic nobody has', topic: 'nobody/here', payload: '{}' },
  { what: 'a clock of 2099', topic: 'zigbee2mqtt/bad-1', payload: '{"battery":50,"last_seen":"2099-01-01T00:00:00Z"}' },
];

function mischief({ players }: Simulation, { clock, seed = 1 }: Pick<SimulateOptions, 'clock'> & { seed?: number }) {
  const random = seeded(seedOf(seed, 'mischief'));
  return [
    clock.every(MISCHIEF_MS, () => {
      const trick = pick(MISCHIEF, random);
      if (trick !== undefined) players.get('bad-1')?.shout(trick.topic, trick.payload, trick.retain === true);
    }),
  ];
}

/** The mix `quanwei simulate --devices N` plays: mostly doors, then buttons, detectors and cameras. */
const MIX = [
  ...Array<string>(6).fill('face-oem-mqtt'),
  'face-topic-face',
  ...Array<string>(4).fill('zigbee-smoke-gas'),
  ...Array<string>(3).fill('zigbee-sos-button'),
  ...Array<string>(2).fill('tasmota-contact'),
  'shelly-gen2',
  'chirpstack-sos-ws101',
  'esphome-lock',
  'onvif-ej-mqtt',
] as const;

/**
 * Devices `sim-0001` … of mixed models, each with its own login, for load.
 * @param secret their passwords; for a broker with one login for all they are not used
 */
export function standIns(count: number, secret: (id: string) => string = (id) => `${id}-secret`): DeviceConfig[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `sim-${String(index + 1).padStart(4, '0')}`;
    return {
      id,
      profile: MIX[index % MIX.length] ?? 'face-oem-mqtt',
      name: id,
      place: 'simulator',
      secret: secret(id),
      params: {},
    };
  });
}
