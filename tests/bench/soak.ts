import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { clip, fencesOf } from '../support/footage.ts';
import { LoadClient } from '../support/mqtt-load.ts';
import { freePort } from '../support/ports.ts';
import { compound, gateway, pass, press, SECRET } from './compound.ts';
import { ending } from './ending.ts';
import { figure, median } from './figure.ts';

/**
 * `npm run soak -- [--minutes 60] [--cameras 2]`: the gateway and the vision process at work for an hour, with presses,
 * door records and a person who climbs in every camera's picture all the time. One JSON line a figure: what each kind of
 * process holds resident in the last quarter of the time, beside the second quarter (the first one still warms up).
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, cameras: { type: 'string', default: '2' } },
});
const minutes = Number(values.minutes);
const cameras = Number(values.cameras);
const SAMPLE_MS = 5_000;
const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

/** Resident set, MB. */
const residentOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024;

interface Running {
  readonly pid: number;
  readonly kind: string;
}

/** A process and all below it, by what they are. */
function family(root: number, kind: string): Running[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]);
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
    } catch (thrown) {
      // It ended between being listed and being read.
      if (!['ENOENT', 'ESRCH'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown;
    }
  }
  const below = (pid: number): Running[] =>
    (parents.get(pid) ?? []).flatMap((child) => [{ pid: child, kind: kindOf(child, kind) }, ...below(child)]);
  return [{ pid: root, kind }, ...below(root)];
}

function kindOf(pid: number, parent: string): string {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (line.startsWith('ffmpeg') || line.includes('/ffmpeg\0')) return 'ffmpeg';
    return line.includes('infer') ? 'models' : `${parent} child`;
  } catch {
    return 'ended';
  }
}

await ending(async (after) => {
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-soak-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const footage = await clip('climb-brick-150');
  const setup = compound(50, 10);
  const box = await gateway(dir, setup.devices, {
    cameras: Array.from({ length: cameras }, (_, i) => ({
      id: `cam-${i + 1}`,
      url: footage.file,
      fences: fencesOf(footage),
    })),
    vision: { listen: `http://127.0.0.1:${await freePort()}` },
    // Everything else is to come to rest within the time; evidence is let go of by its bound.
    alarms: { window: '1s' },
  });
  after(() => box.stop());
  await box.start();
  const vision = spawn(process.execPath, [CLI, 'vision', '--config', box.config], {
    env: { ...box.env, QUANWEI_LOG: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  after(async () => {
    if (vision.exitCode !== null || vision.signalCode !== null) return;
    const gone = once(vision, 'exit');
    vision.kill('SIGTERM');
    await gone;
  });
  const hub = await LoadClient.connect({
    port: box.ports.mqtt,
    clientId: 'hub',
    username: setup.compound.hub,
    password: SECRET,
  });
  after(() => hub.end());
  const doors = await Promise.all(
    setup.compound.doors.map((door) =>
      LoadClient.connect({ port: box.ports.mqtt, clientId: door, username: door, password: SECRET }),
    ),
  );

  for (const door of doors) after(() => door.end());

  const samples: { at: number; kinds: Map<string, number> }[] = [];
  const begun = performance.now();
  let said = 0;
  const traffic = setInterval(() => {
    said += 1;
    const door = said % doors.length;
    const { topic, payload } = pass(setup.compound.doors[door] as string, said);
    doors[door]?.publish(topic, payload, '');
    if (said % 50 === 0) {
      const button = press(setup.compound.buttons[(said / 50) % setup.compound.buttons.length] as string);
      hub.publish(button.topic, button.payload, '');
    }
  }, 100);
  after(() => clearInterval(traffic));
  const sampling = setInterval(() => {
    const kinds = new Map<string, number>();
    for (const { pid, kind } of [...family(box.pid, 'gateway'), ...family(vision.pid ?? 0, 'vision')]) {
      try {
        kinds.set(kind, (kinds.get(kind) ?? 0) + residentOf(pid));
      } catch (thrown) {
        if (!['ENOENT', 'ESRCH'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown;
      }
    }
    samples.push({ at: performance.now() - begun, kinds });
  }, SAMPLE_MS);

  after(() => clearInterval(sampling));
  await Promise.race([
    new Promise((resolve) => setTimeout(resolve, minutes * 60_000)),
    once(vision, 'exit').then(([code, signal]) => {
      throw new Error(`the vision process ended with ${code ?? signal}`);
    }),
  ]);
  clearInterval(traffic);
  clearInterval(sampling);
  const seen = (await box.entries('alarm.raised')).filter(({ body }) =>
    String((body['alarm'] as { category?: string } | undefined)?.category).startsWith('intrusion.'),
  ).length;

  const quarter = (n: number, kind: string) =>
    median(
      samples
        .filter(({ at }) => at >= (n * minutes * 60_000) / 4 && at < ((n + 1) * minutes * 60_000) / 4)
        .flatMap(({ kinds }) => kinds.get(kind) ?? []),
    );
  for (const kind of ['gateway', 'vision', 'models', 'ffmpeg']) {
    const name = `resident memory of ${kind}, last quarter of ${minutes} min, ${cameras} cameras`;
    console.log(JSON.stringify(figure(name, quarter(3, kind), 'MB', 'second quarter', quarter(1, kind))));
  }
  console.log(JSON.stringify(figure(`intrusions raised in ${minutes} min`, seen, 'alarms')));
  console.log(JSON.stringify(figure(`door records and presses in ${minutes} min`, said, 'messages')));
});
