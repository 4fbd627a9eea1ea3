import { describe, expect, it, onTestFinished } from 'vitest';
import { GatewayConfig } from '../../src/config/schema.ts';
import { childKey, resolveParams } from '../../src/devices/binding.ts';
import { decode } from '../../src/devices/decode.ts';
import { encodeCommand, topicsOf } from '../../src/devices/encode.ts';
import { filterFits } from '../../src/devices/topics.ts';
import { SimulatedClock, SystemClock } from '../../src/kernel/clock.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { createLog } from '../../src/kernel/log.ts';
import { demoCompound, MISCHIEF, standIns } from '../../src/simulator/compound.ts';
import { freshMessage, type Played } from '../../src/simulator/fresh.ts';
import { Player, type PlayerOptions } from '../../src/simulator/player.ts';
import { seeded } from '../../src/simulator/random.ts';
import { simulate } from '../../src/simulator/simulate.ts';
import { catalogue, device } from '../devices/support.ts';
import { listeningBroker, until } from './support.ts';

const log = createLog('simulator-test', 'silent');
const NOW = Date.UTC(2026, 8, 9, 10, 11, 12, 345);

/** A device of a model, not the one of its samples, with end devices where the model has any. */
function someOf(profileId: string, id = 'other-7'): Played {
  const profile = catalogue().get(profileId);
  const children = profile.example.children.map((child, index) => {
    const own = device(`child-${index}`);
    return { device: own, profile: catalogue().get(child.profile), key: childKey(own) };
  });
  return { profile, device: device(id), children };
}

describe('a sample made fresh', () => {
  for (const { id, samples } of catalogue().all()) {
    it(`${id}: is taken for the same message of another device, now`, () => {
      const played = someOf(id);
      const { publish } = topicsOf(played.profile, played.device, []);
      for (const sample of samples) {
        if (sample.unknown === true || sample.candidate !== null || sample.message === 'ignored') continue;
        // Samples with parameters of their own speak for devices set up that way.
        if (Object.keys(sample.params).length > 0) continue;
        const child = played.profile.example.children.findIndex((one) => one.id === sample.device);
        const made = (serial: number) =>
          freshMessage(played, sample, child, {
            now: NOW + serial * 1_000,
            timezone: 'Asia/Shanghai',
            serial,
            random: seeded(serial),
          });
        const heard = (message: ReturnType<typeof made>) =>
          decode(played.profile, {
            device: played.device,
            topic: message.topic,
            payload: Buffer.from(message.payload),
            retain: message.retain,
            now: NOW,
            timezone: 'Asia/Shanghai',
            childOf: (key) => played.children.find((one) => one.key === key) ?? null,
          });
        const first = heard(made(41));
        expect(
          publish.some((filter) => filterFits(filter, made(41).topic)),
          sample.name,
        ).toBe(true);
        expect(first.message, sample.name).toBe(sample.message);
        expect(
          first.events.map(({ category }) => category),
          sample.name,
        ).toEqual(sample.events.map(({ category }) => category));
        expect(first.device, sample.name).toBe(child === -1 ? 'other-7' : `child-${child}`);
        if (sample.time !== null && !first.replayed)
          expect(Math.abs((first.deviceTime ?? 0) - NOW - 41_000), sample.name).toBeLessThan(1_000);
        if (first.key !== null && sample.events.length > 0)
          expect(heard(made(42)).key, sample.name).not.toBe(first.key);
      }
    });
  }
});

interface Run {
  readonly player: Player;
  readonly clock: SimulatedClock;
}

async function run(profileId: string, id: string, url: string, options: Partial<PlayerOptions> = {}): Promise<Run> {
  const clock = new SimulatedClock(NOW);
  const player = new Player(catalogue().get(profileId), device(id), [], {
    url,
    timezone: 'Asia/Shanghai',
    clock,
    random: seeded(7),
    log,
    heartbeat: 0,
    ...options,
  });
  onTestFinished(() => player.stop());
  await player.start();
  return { player, clock };
}

describe('a device in software', () => {
  it('logs in, says that it is there, and beats', async () => {
    const { url, heard } = await listeningBroker();
    const { clock } = await run('tasmota-contact', 'cp-1', url, { heartbeat: 60_000 });
    await until(() => heard.filter(({ client }) => client === 'cp-1').length >= 3);
    expect(heard.map(({ topic }) => topic)).toEqual(expect.arrayContaining(['tele/cp-1/LWT', 'tele/cp-1/INFO1']));
    clock.advance(181_000);
    await until(() => heard.filter(({ topic }) => topic === 'tele/cp-1/STATE').length >= 2);
  });

  it('leaves a will that the broker tells when the connection breaks', async () => {
    const { url, heard } = await listeningBroker();
    const { player } = await run('tasmota-contact', 'cp-1', url);
    player.cut();
    await until(() => heard.some(({ topic, payload }) => topic === 'tele/cp-1/LWT' && payload === 'Offline'));
  });

  it('says a record again until it has its receipt, then never more', async () => {
    const { url, heard, broker } = await listeningBroker();
    const { player, clock } = await run('face-oem-mqtt', 'door-1', url, { resend: 10_000 });
    const records = () => heard.filter(({ topic }) => topic === 'mqtt/face/door-1/Rec');
    player.tell('a resident passes (as captured from firmware)');
    await until(() => records().length === 1);
    clock.advance(10_000);
    await until(() => records().length === 2);
    expect(records()[1]?.payload).toBe(records()[0]?.payload);
    const [said] = records();
    const { receipt } = decode(catalogue().get('face-oem-mqtt'), {
      device: player.played.device,
      topic: said?.topic ?? '',
      payload: Buffer.from(said?.payload ?? ''),
      retain: false,
      now: NOW,
      timezone: 'Asia/Shanghai',
      childOf: () => null,
    });
    const before = player.unreceipted;
    await new Promise<void>((resolve, reject) => {
      const packet = {
        cmd: 'publish' as const,
        topic: receipt?.topic ?? '',
        payload: receipt?.payload ?? '',
        qos: 0 as const,
        retain: false,
        dup: false,
      };
      broker.publish(packet, (error) => (error ? reject(error) : resolve()));
    });
    await until(() => player.unreceipted === before - 1);
    clock.advance(60_000);
    expect(records().length).toBe(2);
  });

  it.each([
    ['face-oem-mqtt', 'open', {}],
    ['face-oem-mqtt', 'setTime', {}],
    ['face-oem-mqtt', 'getTime', {}],
    ['face-topic-face', 'open', {}],
    ['tasmota-contact', 'open', {}],
    ['tasmota-contact', 'close', {}],
    ['shelly-gen2', 'open', { seconds: 3 }],
    ['esphome-lock', 'open', {}],
    ['quanwei-vision', 'snapshot', { camera: 'c' }],
  ] as const)('%s does what %s asks and says so', async (profileId, command, args) => {
    const { url, heard, broker } = await listeningBroker();
    const { player, clock } = await run(profileId, 'dev-1', url);
    const { profile, device: own } = player.played;
    const moment = { now: NOW, timezone: 'Asia/Shanghai' };
    const { messages } = encodeCommand(profile, own, command, { ...args }, 'cmd-42', moment);
    await until(() => broker.connectedClients === 1);
    await new Promise((resolve) => setTimeout(resolve, 30)); // its subscriptions are on their way
    for (const { topic, payload } of messages) {
      broker.publish({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false }, () => undefined);
    }
    await until(() => player.counts.commands === 1);
    clock.advance(100);
    const replies = () =>
      heard
        .filter(({ client }) => client === 'dev-1')
        .flatMap(({ topic, payload, retain }) => {
          const { reply } = decode(profile, {
            device: own,
            topic,
            payload: Buffer.from(payload),
            retain,
            ...moment,
            childOf: () => null,
          });
          return reply === null ? [] : [reply];
        });
    await until(() => replies().length === 1);
    expect(replies()[0]).toMatchObject({ ok: true });
    expect(['cmd-42', '*']).toContain(replies()[0]?.to);
  });
});

describe('many devices', () => {
  it('the same seed tells the same story, another seed another', async () => {
    const story = async (seed: number): Promise<string[]> => {
      const { url, heard } = await listeningBroker();
      const clock = new SimulatedClock(NOW);
      const simulation = await simulate({
        url,
        catalogue: catalogue(),
        devices: standIns(8),
        rate: 50,
        seed,
        incidents: 0.5,
        heartbeat: 0,
        clock,
        log,
      });
      clock.advance(2_000);
      await until(() => simulation.totals().accepted === simulation.totals().sent);
      await until(() => heard.filter(({ client }) => client !== '').length >= simulation.totals().sent);
      await simulation.stop();
      return heard
        .filter(({ client }) => client !== '')
        .map(({ topic, payload }) => `${topic} ${payload}`)
        .sort();
    };
    const [once, again, other] = [await story(5), await story(5), await story(6)];
    expect(once.length).toBeGreaterThan(100);
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
  });

  it('keep the rate, and say how it went', async () => {
    const { url } = await listeningBroker();
    const clock = new SystemClock();
    const simulation = await simulate({
      url,
      catalogue: catalogue(),
      devices: standIns(20),
      rate: 200,
      seconds: 2,
      seed: 3,
      heartbeat: 0,
      resend: 60_000,
      clock,
      log,
    });
    const births = simulation.totals().sent;
    const totals = await simulation.done;
    expect(totals.devices).toBe(20);
    expect(totals.sent - births).toBeGreaterThan(280);
    expect(totals.sent - births).toBeLessThan(480);
    expect(totals.p99).toBeGreaterThan(0);
    expect(totals.failed).toBe(0);
  });

  it('every stand-in is a device the configuration accepts and its profile can be bound to', () => {
    const devices = standIns(60);
    const config = GatewayConfig.parse({ site: { id: 's', name: 's', street: 't' }, devices });
    expect(config.devices).toEqual(devices);
    for (const { id, profile, params } of devices) resolveParams(catalogue().get(profile), device(id, params));
    expect(new Set(devices.map(({ profile }) => profile)).size).toBeGreaterThan(7);
  });
});

describe('the demo compound', () => {
  it('is a configuration the gateway accepts, with doors, buttons, detectors, a hub and a bad device', () => {
    const { devices, fireReleases } = demoCompound();
    const config = GatewayConfig.parse({
      site: { id: 's', name: 's', street: 't' },
      devices,
      alarms: { fireReleases },
    });
    const byId = new Map(config.devices.map((one) => [one.id, one]));
    for (const { profile, params, id, hub, secret } of config.devices) {
      resolveParams(catalogue().get(profile), device(id, params));
      expect(hub === undefined || byId.has(hub)).toBe(true);
      expect((secret === undefined) === (hub !== undefined)).toBe(true);
    }
    for (const door of fireReleases)
      expect(catalogue().get(byId.get(door)?.profile ?? '').commands['open']).toBeDefined();
    const profiles = new Set(config.devices.map(({ profile }) => profile));
    for (const wanted of ['face-oem-mqtt', 'tasmota-contact', 'zigbee2mqtt-hub', 'zigbee-smoke-gas'])
      expect(profiles).toContain(wanted);
    expect(byId.has('bad-1')).toBe(true);
    expect(demoCompound().devices[0]?.secret).not.toBe(devices[0]?.secret);
  });

  it('plays: everybody logs in, the scenes happen, the bad device shouts', async () => {
    const { url, heard } = await listeningBroker();
    const clock = new SimulatedClock(NOW);
    const demo = demoCompound(() => 'demo-secret');
    const simulation = await demo.play({ url, catalogue: catalogue(), clock, log, heartbeat: 0, rate: 5 });
    expect(simulation.totals().connected).toBe(demo.devices.filter(({ hub }) => hub === undefined).length);
    for (let second = 0; second < 160; second++) {
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const said = (topic: string, text: string) =>
      heard.some((one) => one.topic === topic && one.payload.includes(text));
    await until(() => said('stat/callpoint-5/RESULT', 'SINGLE'));
    await until(() => heard.some((one) => one.topic.startsWith('cam-east/onvif-ej/RuleEngine/LineDetector')));
    await until(() => said('zigbee2mqtt/sos-3-101', 'emergency') || said('zigbee2mqtt/fire-3-6', 'emergency'));
    await until(() => said('frigate/reviews', '"camera":"north"'));
    await until(() => heard.filter(({ client }) => client === 'bad-1').length > 5);
    await simulation.stop();
  });

  it('what the bad device shouts is UNDECODABLE, not its topic, or harmless', () => {
    const profile = catalogue().get('zigbee-sos-button');
    for (const { what, topic, payload, retain } of MISCHIEF) {
      try {
        const { events } = decode(profile, {
          device: device('bad-1'),
          topic,
          payload: Buffer.from(payload),
          retain: retain === true,
          now: NOW,
          timezone: 'Asia/Shanghai',
          childOf: () => null,
        });
        expect(
          events.every(({ replayed }) => replayed),
          what,
        ).toBe(true);
      } catch (thrown) {
        expect(thrown, what).toBeInstanceOf(QuanweiError);
        expect((thrown as QuanweiError).code, what).toBe('UNDECODABLE');
      }
    }
  });
});
