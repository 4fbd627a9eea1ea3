import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LoadClient } from '../support/mqtt-load.ts';
import { compound, gateway, pass, SECRET } from './compound.ts';
import { ending } from './ending.ts';
import { figure, percentile, type Report } from './figure.ts';
import { installed } from './peers.ts';

const FSYNC_MS = 20;
const LOADED_MS = 10_000;

interface Lag {
  readonly lag99: number;
  readonly ack50: number;
  readonly ack99: number;
}

const metric = async (base: string, name: string): Promise<number> => {
  const text = await (await fetch(`${base}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? Number.NaN);
};

/** How long the event loop is held up, and how long acknowledgements take, with 500 messages a second. */
async function loaded(env: Record<string, string>): Promise<Lag> {
  return ending(async (after) => {
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
    after(() => rmSync(dir, { recursive: true, force: true }));
    const setup = compound(0, 4);
    const ours = await gateway(dir, setup.devices, {}, env);
    after(() => ours.stop());
    await ours.start();
    const acks: number[] = [];
    const doors = await Promise.all(
      setup.compound.doors.map((door) =>
        LoadClient.connect({ port: ours.ports.mqtt, clientId: door, username: door, password: SECRET }),
      ),
    );
    for (const door of doors) {
      after(() => door.end());
      door.onAck = (_token, ms) => acks.push(ms);
    }
    const begun = performance.now();
    let sent = 0;
    while (performance.now() - begun < LOADED_MS) {
      for (; sent < (performance.now() - begun) / 2; sent += 1) {
        const i = sent % doors.length;
        const { topic, payload } = pass(setup.compound.doors[i] as string, Date.now() * 100 + sent);
        doors[i]?.publish(topic, payload, '');
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const base = `http://127.0.0.1:${ours.ports.http}`;
    const lag99 = (await metric(base, 'nodejs_eventloop_lag_p99_seconds')) * 1_000;
    return { lag99, ack50: percentile(acks, 50), ack99: percentile(acks, 99) };
  });
}

/** A slow disk must cost latency of acknowledgement, not the life of the event loop (design §1). */
export async function slowDisk(report: Report): Promise<void> {
  if (!installed('gcc')) throw new Error('slowing the disk needs gcc (npm run setup installs it)');
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
  try {
    const library = join(dir, 'slow-fsync.so');
    const source = fileURLToPath(new URL('../journal/fixtures/slow-fsync.c', import.meta.url));
    execFileSync('gcc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
    const plain = await loaded({});
    const slow = await loaded({ LD_PRELOAD: library, QUANWEI_FSYNC_MS: String(FSYNC_MS) });
    const peer = 'the same without slowing';
    report(figure(`event loop lag p99, fsync + ${FSYNC_MS} ms`, slow.lag99, 'ms', peer, plain.lag99));
    report(figure(`acknowledgement p50, fsync + ${FSYNC_MS} ms`, slow.ack50, 'ms', peer, plain.ack50));
    report(figure(`acknowledgement p99, fsync + ${FSYNC_MS} ms`, slow.ack99, 'ms', peer, plain.ack99));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
