import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { goodbye } from '../../../src/kernel/mqtt-client.ts';
import { visionToken } from '../../../src/main/vision-secret.ts';
import { type Answer, cookieOf, PASSWORD, Person } from '../../api/box.ts';
import { GatewayProcess } from '../../support/gateway-process.ts';
import { freePort } from '../../support/ports.ts';
import { Centre } from '../../upstream/centre.ts';
import { EVIL } from '../ugly.ts';
import { eyes, film } from '../vision.ts';

/** The ways of looking at the page: each has devices of its own, so that one does not see what another has left. */
export const WAYS = [0, 1, 2, 3] as const;
export type Way = (typeof WAYS)[number];

export const SECRET = 'device-secret-1';
/** A level-4 alarm that nobody acknowledges is told to the next after this. */
const ESCALATES_AFTER = '10s';
const SITE = 'quanwei/v1/longquan/spring-garden';

/**
 * A compound with the shipped gateway as a process of its own, a real Mosquitto as the command centre, and its devices,
 * played over MQTT as their profiles' samples say. Of each way of looking `n`: a call point `btn-n` with an ugly name,
 * a smoke detector `smoke-n` behind the hub, a face door `face-n` that opens when it is told to.
 */
export class Compound {
  readonly gateway: GatewayProcess;
  readonly mqttPort: number;
  readonly centre: Centre;
  readonly admin: Person;
  readonly guard: Person;
  readonly #devices = new Map<string, MqttClient>();
  readonly #reader: MqttClient;
  readonly #closers: (() => unknown)[];

  private constructor(
    of: Pick<Compound, 'gateway' | 'mqttPort' | 'centre' | 'admin' | 'guard'> & {
      reader: MqttClient;
      closers: (() => unknown)[];
    },
  ) {
    this.gateway = of.gateway;
    this.mqttPort = of.mqttPort;
    this.centre = of.centre;
    this.admin = of.admin;
    this.guard = of.guard;
    this.#reader = of.reader;
    this.#closers = of.closers;
  }

  static async open(): Promise<Compound> {
    const closers: (() => unknown)[] = [];
    try {
      return await Compound.#built(closers);
    } catch (thrown) {
      await shut(closers);
      throw thrown;
    }
  }

  static async #built(closers: (() => unknown)[]): Promise<Compound> {
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-flows-'));
    closers.push(() => rmSync(dir, { recursive: true, force: true }));
    const centre = await Centre.prepare({ dir: mkdtempSync(join(dir, 'centre-')) });
    closers.push(() => centre.kill());
    await centre.start();
    // Before the gateway speaks: what nobody hears is not confirmed.
    const reader = await confirming(centre);
    closers.push(() => reader.endAsync(true));
    const footage = film('libx264', dir);
    const listen = `http://127.0.0.1:${await freePort()}`;
    const port = await freePort();
    const gateway = await GatewayProcess.prepare(dir, {
      devices: devices(),
      cameras: [{ id: 'cam-1', url: footage, name: '东墙摄像机', place: '东墙', fences: [] }],
      vision: { secret: SECRET, listen },
      mqtt: { listen: [`mqtt://127.0.0.1:${port}`, `mqtts://127.0.0.1:${await freePort()}`] },
      alarms: {
        levels: {
          ...{ 1: { acknowledge: '60s', close: '2h' }, 2: { acknowledge: '5m', close: '24h' } },
          ...{ 3: { acknowledge: '30m', close: '72h' }, 4: { acknowledge: ESCALATES_AFTER, close: '168h' } },
        },
        fireReleases: WAYS.map((n) => `face-${n}`),
      },
      upstream: { url: centre.url, confirm: 'receipt', backoff: { min: '100ms', max: '200ms' } },
    });
    closers.push(() => gateway.kill());
    const seen = await eyes(footage, gateway.data, { listen, token: visionToken(SECRET) });
    closers.push(() => seen.close());
    seen.picture.put({ width: 1, height: 1, data: new Uint8Array(3) }, Date.now());
    await gateway.start();
    const { base, cookie } = await gateway.signIn();
    const admin = new Person(base, cookie);
    const guard = await hire(admin, { name: 'lidui', display: '李队', role: 'operator' });
    const compound = new Compound({ gateway, mqttPort: port, centre, admin, guard, reader, closers });
    await compound.#wakeDevices();
    return compound;
  }

  get base(): string {
    return this.admin.base;
  }

  close(): Promise<void> {
    return shut(this.#closers);
  }

  /** Logs in with what the page told, as the person who types it into the device. */
  async login(id: string, password = SECRET): Promise<MqttClient> {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${this.mqttPort}`, {
      ...{ clientId: id, username: id, password, reconnectPeriod: 0 },
    });
    this.#devices.get(id)?.end(true);
    this.#devices.set(id, client);
    return client;
  }

  /** One message of a device that is logged in; it has been acknowledged when this resolves. */
  async say(device: string, topic: string, payload: unknown): Promise<void> {
    const client = this.#devices.get(device);
    if (client === undefined) throw new Error(`${device} is not logged in`);
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    await client.publishAsync(topic, text, { qos: 1 });
  }

  press(n: Way): Promise<void> {
    return this.say(`btn-${n}`, `stat/btn-${n}/RESULT`, { Button1: { Action: 'SINGLE' } });
  }

  /** A picture or record that a face door sends. @param topic its last level */
  face(n: Way, topic: 'Rec' | 'Snap' | 'Alarm', operator: string, more: Record<string, unknown> = {}): Promise<void> {
    const id = `face-${n}`;
    const time = siteTime();
    const info = { facesluiceId: id, time, SnapID: `${Date.now()}`, RecordID: `${Date.now()}`, Sendintime: 1, ...more };
    return this.say(id, `mqtt/face/${id}/${topic}`, { operator, info: { PushType: 0, ...info } });
  }

  /** What the vision process says of its camera, in the words of whoever named the rule. */
  seen(type: 'climb' | 'loiter', words: Record<string, unknown>): Promise<void> {
    const event = { v: 1, id: crypto.randomUUID(), type, camera: 'cam-1', time: new Date().toISOString(), ...words };
    return this.say('vision-1', 'quanwei/vision/vision-1/event', event);
  }

  async order(order: Record<string, unknown>): Promise<void> {
    const now = Date.now();
    const [issuedAt, expiresAt] = [new Date(now).toISOString(), new Date(now + 60_000).toISOString()];
    await this.#reader.publishAsync(`${SITE}/order`, JSON.stringify({ issuedAt, expiresAt, ...order }), { qos: 1 });
  }

  async #wakeDevices(): Promise<void> {
    this.#closers.push(() => Promise.all([...this.#devices.values()].map(goodbye)));
    for (const { id, secret } of devices()) if (secret !== undefined) await this.login(id);
    await this.login('vision-1');
    await this.#beat();
    // As often as their profiles say, so that their silence is no alarm.
    let beating = Promise.resolve();
    const beat = setInterval(() => {
      beating = this.#beat();
    }, 15_000);
    this.#closers.push(() => {
      clearInterval(beat);
      return beating;
    });
    await this.say('vision-1', 'quanwei/vision/vision-1/camera/cam-1/status', { v: 1, state: 'online', fps: 5 });
    await this.say('hub-1', 'zigbee2mqtt/bridge/state', { state: 'online' });
    for (const n of WAYS) {
      const client = this.#devices.get(`face-${n}`);
      client?.on('message', (_, payload) => void this.#obey(n, payload.toString()));
      await client?.subscribeAsync(`mqtt/face/face-${n}`);
    }
  }

  async #beat(): Promise<void> {
    const alive = { v: 1, state: 'online', version: '0.1.0' };
    await this.say('vision-1', 'quanwei/vision/vision-1/status', alive);
    for (const n of WAYS) {
      const info = { facesluiceId: `face-${n}`, time: siteTime() };
      await this.say(`face-${n}`, 'mqtt/face/heartbeat', { operator: 'HeartBeat', info });
    }
  }

  async #obey(n: Way, text: string): Promise<void> {
    const { operator, messageId } = JSON.parse(text) as { operator: string; messageId: string };
    if (operator !== 'Unlock') return;
    const info = { facesluiceId: `face-${n}`, result: 'ok', detail: '' };
    const answer = { messageId, operator: 'Unlock-Ack', code: '200', info };
    await this.say(`face-${n}`, `mqtt/face/face-${n}/Ack`, answer);
  }
}

/** The newest first: what beats before what it beats on. */
async function shut(closers: (() => unknown)[]): Promise<void> {
  for (const closer of closers.splice(0).reverse()) await closer();
}

function devices(): { id: string; profile: string; secret?: string }[] {
  return [
    { id: 'hub-1', profile: 'zigbee2mqtt-hub', secret: SECRET },
    ...WAYS.flatMap((n) => [
      { id: `btn-${n}`, profile: 'tasmota-contact', name: EVIL, place: `${n + 1}号楼/大厅`, secret: SECRET },
      { id: `face-${n}`, profile: 'face-oem-mqtt', name: `${n + 1}号楼单元门`, place: `${n + 1}号楼`, secret: SECRET },
      {
        id: `smoke-${n}`,
        profile: 'zigbee-smoke-gas',
        name: `${n + 1}号楼烟感`,
        place: `${n + 1}号楼/3层`,
        hub: 'hub-1',
      },
    ]),
  ];
}

/** The terminals' own format: local time of the site. */
const siteTime = (): string => new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

/** Somebody new, past the first change of password. */
async function hire(admin: Person, account: { name: string; display: string; role: string }): Promise<Person> {
  const made = await admin.post<{ password: string }>('/api/accounts', account);
  if (made.status !== 200) throw new Error(`the account was answered ${made.status}: ${JSON.stringify(made.body)}`);
  const { password } = made.body;
  const nobody = new Person(admin.base, '');
  const first = new Person(admin.base, cookieOf(await nobody.post('/api/login', { name: account.name, password })));
  const changed: Answer = await first.post('/api/password', { current: password, next: PASSWORD });
  return new Person(admin.base, cookieOf(changed) || first.cookie);
}

/** The centre's reader, which accepts whatever it is told: events, and what came of its orders. */
async function confirming(centre: Centre): Promise<MqttClient> {
  const client = await mqtt.connectAsync(centre.url, { clientId: 'reader', clean: false, reconnectPeriod: 50 });
  client.on('error', () => undefined);
  client.on('message', (_, payload) => {
    const { id } = JSON.parse(payload.toString()) as { id: string };
    client.publish(`${SITE}/receipt`, JSON.stringify({ ids: [id], result: 'accepted' }), { qos: 1 });
  });
  await client.subscribeAsync([`${SITE}/event/#`, `${SITE}/order/reply`], { qos: 1 });
  return client;
}
