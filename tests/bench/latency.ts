import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { LoadClient } from '../support/mqtt-load.ts';
import { follow } from '../support/sse.ts';
import { type Compound, compound, gateway, pass, press, SECRET } from './compound.ts';
import { type End, ending } from './ending.ts';
import { figure, percentile, type Report } from './figure.ts';
import { nodeRed } from './node-red.ts';
import { installed, leastDurable, mosquitto, type Peer } from './peers.ts';
import { subscribe } from './subscriber.ts';

export const PRESSES_PER_SECOND = 200;
const OTHER_PER_SECOND = 1_000;

export interface Timing {
  readonly pressed: Map<string, number>;
  readonly upstream: Map<string, number>;
  readonly page: Map<string, number>;
}

let record = Math.floor(Date.now() / 1_000);

/** Presses every button once, `PRESSES_PER_SECOND`, with `other` further messages a second from the doors. */
async function play(port: number, all: Compound, login: boolean, other: number, timing: Timing): Promise<void> {
  const connect = (name: string) =>
    LoadClient.connect({ port, clientId: `${name}-${record}`, ...(login ? { username: name, password: SECRET } : {}) });
  const hub = await connect(all.hub);
  const doors = await Promise.all(all.doors.map((door) => connect(door)));
  const begun = performance.now();
  let pressed = 0;
  let passed = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = (performance.now() - begun) / 1_000;
      while (pressed < Math.min(all.buttons.length, elapsed * PRESSES_PER_SECOND)) {
        const button = all.buttons[pressed] as string;
        pressed += 1;
        const { topic, payload } = press(button);
        timing.pressed.set(button, performance.now());
        hub.publish(topic, payload, '');
      }
      while (passed < elapsed * other) {
        const i = passed % doors.length;
        passed += 1;
        record += 1;
        const { topic, payload } = pass(all.doors[i] as string, record);
        doors[i]?.publish(topic, payload, '');
      }
      if (pressed >= all.buttons.length) {
        clearInterval(timer);
        setTimeout(resolve, 1_000);
      }
    }, 1);
  });
  hub.end();
  for (const door of doors) door.end();
}

/** Share of the presses, the first ones, that only warm up: a gateway runs for years, and so do its peers. */
const WARM_UP = 0.25;

/** When each button was pressed, of those that count, and how long it took to arrive, ms. */
export function arrivals(timing: Timing, arrived: Map<string, number>): { at: number; ms: number }[] {
  const all: { at: number; ms: number }[] = [];
  for (const [button, at] of timing.pressed) {
    const arrival = arrived.get(button);
    if (arrival === undefined) throw new Error(`the press of ${button} never arrived`);
    all.push({ at, ms: arrival - at });
  }
  return all.slice(Math.floor(all.length * WARM_UP));
}

const ages = (timing: Timing, arrived: Map<string, number>): number[] => arrivals(timing, arrived).map(({ ms }) => ms);

const fresh = (): Timing => ({ pressed: new Map(), upstream: new Map(), page: new Map() });

/**
 * @param settings further ones of the gateway
 * @param beside starts what runs beside it, and says after each start how it is ended
 */
export async function oursOnce(
  buttons: number,
  other: number,
  settings: Record<string, unknown> = {},
  beside: (ours: GatewayProcess, after: (end: End) => void) => Promise<void> = async () => undefined,
): Promise<Timing> {
  return ending(async (after) => {
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
    after(() => rmSync(dir, { recursive: true, force: true }));
    const centre = await mosquitto();
    after(() => centre.stop());
    const setup = compound(buttons, 20);
    const upstream = { url: `mqtt://127.0.0.1:${centre.port}` };
    const ours = await gateway(dir, setup.devices, { upstream, ...settings });
    after(() => ours.stop());
    await ours.start();
    const timing = fresh();
    const reader = await subscribe(centre.port, 'quanwei/v1/+/+/event/#', (_topic, payload, at) => {
      const event = JSON.parse(payload.toString('utf8')) as { type: string; data?: { alarm?: { device?: string } } };
      const device = event.data?.alarm?.device;
      if (event.type === 'cn.quanwei.alarm.raised.v1' && device !== undefined) timing.upstream.set(device, at);
    });
    after(() => reader.end());
    const page = await follow(ours, (entry, at) => {
      const device = (entry as { body?: { alarm?: { device?: string } } }).body?.alarm?.device;
      if (entry.kind === 'alarm.raised' && device !== undefined) timing.page.set(device, at);
    });
    after(() => page.end());
    await beside(ours, after);
    await play(ours.ports.mqtt, setup.compound, true, other, timing);
    return timing;
  });
}

async function peerOnce(buttons: number, other: number, edge: (centre: number) => Promise<Peer>): Promise<Timing> {
  return ending(async (after) => {
    const centre = await mosquitto();
    after(() => centre.stop());
    const peer = await edge(centre.port);
    after(() => peer.stop());
    const setup = compound(buttons, 20);
    const timing = fresh();
    const reader = await subscribe(centre.port, 'zigbee2mqtt/+', (topic, _payload, at) => {
      timing.upstream.set(topic.slice('zigbee2mqtt/'.length), at);
    });
    after(() => reader.end());
    // A bridge connects in its own time: wait until something passes through.
    const probe = await LoadClient.connect({ port: peer.port, clientId: 'probe' });
    after(() => probe.end());
    while (timing.upstream.size === 0) {
      await probe.published('zigbee2mqtt/probe', '{}');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    timing.upstream.clear();
    await play(peer.port, setup.compound, false, other, timing);
    return timing;
  });
}

/** Button to the centre's subscriber and to the page, alone and on top of other traffic, beside plain forwarders. */
export async function latency(report: Report, buttons: number): Promise<void> {
  if (!installed('mosquitto')) throw new Error('the latency benchmark needs mosquitto (npm run setup installs it)');
  const nodeRedPeer = nodeRed();
  for (const [other, when] of [
    [0, `${PRESSES_PER_SECOND} msg/s`],
    [OTHER_PER_SECOND, `${PRESSES_PER_SECOND} msg/s on top of ${OTHER_PER_SECOND} msg/s`],
  ] as const) {
    const ours = await oursOnce(buttons, other);
    const peers: [string, Timing][] = [
      ['mosquitto bridge', await peerOnce(buttons, other, mosquitto)],
      ['bare aedes, one row on disk, forwarded', await peerOnce(buttons, other, leastDurable)],
    ];
    if (nodeRedPeer !== null) peers.push(['node-red flow', await peerOnce(buttons, other, nodeRedPeer)]);
    const toCentre = ages(ours, ours.upstream);
    for (const [name, peer] of peers) {
      const theirs = ages(peer, peer.upstream);
      for (const p of [50, 99]) {
        report(figure(`button to centre p${p}, ${when}`, percentile(toCentre, p), 'ms', name, percentile(theirs, p)));
      }
    }
    const toPage = ages(ours, ours.page);
    for (const p of [50, 99]) report(figure(`button to page p${p}, ${when}`, percentile(toPage, p), 'ms'));
  }
}
