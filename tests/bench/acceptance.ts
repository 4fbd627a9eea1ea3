import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { LoadClient } from '../support/mqtt-load.ts';
import { compound, gateway, pass, SECRET } from './compound.ts';
import { ending } from './ending.ts';
import { figure, median, type Report } from './figure.ts';
import { bareAedes, installed, leastDurable, mosquitto } from './peers.ts';

const CLIENTS = 8;
const WINDOW = 64;
const ROUNDS = 5;

let record = Math.floor(Date.now() / 1_000);

/** Acknowledged QoS 1 messages a second from `CLIENTS` connections that each keep `WINDOW` under way. */
async function throughput(port: number, each: number, login: boolean): Promise<number> {
  const doors = Array.from({ length: CLIENTS }, (_, i) => `door-${i + 1}`);
  const clients = await Promise.all(
    doors.map((door) =>
      LoadClient.connect({
        port,
        clientId: `${door}-${record}`,
        ...(login ? { username: door, password: SECRET } : {}),
      }),
    ),
  );
  const batches = doors.map((door) =>
    Array.from({ length: each }, () => {
      record += 1;
      return { ...pass(door, record), token: '' };
    }),
  );
  const begun = performance.now();
  await Promise.all(clients.map((client, i) => client.flood(WINDOW, () => batches[i]?.pop() ?? null)));
  const seconds = (performance.now() - begun) / 1_000;
  const acked = clients.reduce((sum, client) => sum + client.acked, 0);
  for (const client of clients) client.end();
  if (acked !== each * CLIENTS) throw new Error(`${acked} of ${each * CLIENTS} messages were acknowledged`);
  return acked / seconds;
}

/** The same load from `mqtt` (MQTT.js) as a device maker would use it: default settings, nothing bounded but its own queue. */
async function libraryThroughput(port: number, each: number, login: boolean): Promise<number> {
  const doors = Array.from({ length: CLIENTS }, (_, i) => `door-${i + 1}`);
  const clients = await Promise.all(
    doors.map((door) =>
      mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, login ? { username: door, password: SECRET } : {}),
    ),
  );
  const begun = performance.now();
  await Promise.all(
    clients.map(async (client, i) => {
      const door = doors[i] as string;
      let left = each;
      const one = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          record += 1;
          const { topic, payload } = pass(door, record);
          await client.publishAsync(topic, payload, { qos: 1 });
        }
      };
      await Promise.all(Array.from({ length: WINDOW }, one));
    }),
  );
  const seconds = (performance.now() - begun) / 1_000;
  await Promise.all(clients.map((client) => client.endAsync()));
  return (each * CLIENTS) / seconds;
}

const writtenBy = (pid: number): number =>
  Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? Number.NaN);

/**
 * Durable acceptance through the whole intake (decoded, de-duplicated, chained, on disk before PUBACK) beside brokers
 * that keep nothing, the rounds taken in turn; and the bytes that reach the disk for each message.
 */
export async function acceptance(report: Report, each: number): Promise<void> {
  await ending(async (after) => {
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
    after(() => rmSync(dir, { recursive: true, force: true }));
    const ours = await gateway(dir, compound(0, CLIENTS).devices);
    after(() => ours.stop());
    await ours.start();
    const aedes = await bareAedes();
    after(() => aedes.stop());
    const least = await leastDurable();
    after(() => least.stop());
    const mosquittoPeer = installed('mosquitto') ? await mosquitto() : null;
    after(() => mosquittoPeer?.stop());
    const rates = { ours: [] as number[], aedes: [] as number[], least: [] as number[], mosquitto: [] as number[] };
    await throughput(ours.ports.mqtt, Math.ceil(each / 4), true); // warm-up, not counted
    await throughput(aedes.port, Math.ceil(each / 4), false);
    await throughput(least.port, Math.ceil(each / 4), false);
    const before = writtenBy(ours.pid);
    for (let round = 0; round < ROUNDS; round += 1) {
      rates.ours.push(await throughput(ours.ports.mqtt, each, true));
      rates.aedes.push(await throughput(aedes.port, each, false));
      rates.least.push(await throughput(least.port, each, false));
      if (mosquittoPeer !== null) rates.mosquitto.push(await throughput(mosquittoPeer.port, each, false));
    }
    const written = writtenBy(ours.pid) - before;
    const rate = median(rates.ours);
    if (mosquittoPeer !== null) {
      report(
        figure('durable QoS 1 acceptance', rate, 'msg/s', 'mosquitto without persistence', median(rates.mosquitto)),
      );
    }
    report(figure('durable QoS 1 acceptance', rate, 'msg/s', 'bare aedes, nothing stored', median(rates.aedes)));
    report(figure('durable QoS 1 acceptance', rate, 'msg/s', 'bare aedes, one row on disk', median(rates.least)));
    const library = { ours: [] as number[], least: [] as number[], mosquitto: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      library.ours.push(await libraryThroughput(ours.ports.mqtt, each / 4, true));
      library.least.push(await libraryThroughput(least.port, each / 4, false));
      if (mosquittoPeer !== null) library.mosquitto.push(await libraryThroughput(mosquittoPeer.port, each / 4, false));
    }
    const name = 'durable QoS 1 acceptance, MQTT.js clients';
    const own = median(library.ours);
    if (mosquittoPeer !== null) {
      report(figure(name, own, 'msg/s', 'mosquitto without persistence', median(library.mosquitto)));
    }
    report(figure(name, own, 'msg/s', 'bare aedes, one row on disk', median(library.least)));
    const payload = Buffer.byteLength(pass('door-1', record).payload);
    report(
      figure(
        'bytes written per event, under load',
        written / (ROUNDS * CLIENTS * each),
        'B',
        'payload as sent',
        payload,
      ),
    );
    const calm = writtenBy(ours.pid);
    const client = await LoadClient.connect({
      port: ours.ports.mqtt,
      clientId: 'calm',
      username: 'door-1',
      password: SECRET,
    });
    for (let i = 0; i < 500; i += 1) {
      record += 1;
      const message = pass('door-1', record);
      await client.published(message.topic, message.payload);
    }
    client.end();
    report(
      figure(
        'bytes written per event, one at a time',
        (writtenBy(ours.pid) - calm) / 500,
        'B',
        'payload as sent',
        payload,
      ),
    );
  });
}
