import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoadClient } from '../support/mqtt-load.ts';
import { compound, gateway, press, SECRET } from './compound.ts';
import { ending } from './ending.ts';
import { figure, median, type Report } from './figure.ts';
import { fill } from './fill.ts';
import { installed, mosquitto } from './peers.ts';
import { subscribe } from './subscriber.ts';

const STARTS = 3;

const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1_024;

/** Memory is given back after ten seconds of calm. */
const GIVEN_BACK_MS = 12_000;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A journal of `entries` entries that the centre has never seen: how soon a gateway on it is ready, what it weighs, how
 * fast the backlog leaves, and how long a fire alarm pressed in the middle takes past it.
 */
export async function backlog(report: Report, entries: number): Promise<void> {
  if (!installed('mosquitto')) throw new Error('the backlog benchmark needs mosquitto (npm run setup installs it)');
  const size = `${entries.toLocaleString('en')} entries`;
  await ending(async (after) => {
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
    after(() => rmSync(dir, { recursive: true, force: true }));
    const centre = await mosquitto();
    after(() => centre.stop());
    const setup = compound(20, 4);
    const starting = await gateway(dir, setup.devices);
    after(() => starting.stop());
    await fill(starting.data, entries);
    const starts: number[] = [];
    for (let i = 0; i < STARTS; i += 1) {
      starts.push(await starting.start());
      if (i < STARTS - 1) await starting.kill();
    }
    report(figure(`start to ready, ${size}`, median(starts), 'ms'));
    await wait(2_000);
    report(figure(`resident memory after start, ${size}`, residentMb(starting.pid), 'MB'));
    await starting.stop();

    let arrived = 0;
    let lastAt = 0;
    let fireAt = 0;
    const reader = await subscribe(centre.port, 'quanwei/v1/+/+/event/#', (_topic, payload, at) => {
      arrived += 1;
      lastAt = at;
      if (payload.includes('"cn.quanwei.alarm.raised.v1"') && payload.includes('"sos-7"')) fireAt = at;
    });
    after(() => reader.end());
    const draining = await gateway(dir, setup.devices, { upstream: { url: `mqtt://127.0.0.1:${centre.port}` } });
    after(() => draining.stop());
    await draining.start();
    const begun = performance.now();
    const before = arrived;
    const hub = await LoadClient.connect({
      port: draining.ports.mqtt,
      clientId: 'hub',
      username: setup.compound.hub,
      password: SECRET,
    });
    await wait(Math.min(1_000, entries / 50));
    const pressedAt = performance.now();
    const { topic, payload } = press('sos-7');
    await hub.published(topic, payload);
    let seen = -1;
    // Drained when nothing has come for a second.
    while (seen !== arrived) {
      seen = arrived;
      await wait(1_000);
    }
    hub.end();
    await wait(GIVEN_BACK_MS);
    const memory = residentMb(draining.pid);
    await draining.stop();
    if (fireAt === 0) throw new Error('the fire alarm never reached the centre');
    if (arrived < entries) throw new Error(`${arrived} of ${entries} entries reached the centre`);
    report(figure(`backlog drained, ${size}`, ((arrived - before) / (lastAt - begun)) * 1_000, 'entries/s'));
    report(figure(`fire alarm past the backlog, ${size}`, fireAt - pressedAt, 'ms'));
    report(figure(`resident memory after draining, ${size}`, memory, 'MB'));
  });
}
