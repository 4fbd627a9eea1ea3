import { parseArgs } from 'node:util';
import { acceptance } from './acceptance.ts';
import { backlog } from './backlog.ts';
import { beside } from './beside.ts';
import { cameras } from './cameras.ts';
import { eyes } from './eyes.ts';
import { faces } from './faces.ts';
import type { Figure } from './figure.ts';
import { inference } from './inference.ts';
import { latency } from './latency.ts';
import { machine } from './machine.ts';
import { models } from './models.ts';
import { page } from './page.ts';
import { slowDisk } from './slow-disk.ts';
import { visionDecode } from './vision-decode.ts';

/**
 * `npm run bench -- [--json] [--only NAME,NAME] [--quick]`: every figure beside
 * its peer, in one run on one machine. `--quick` takes a hundredth of the work: for trying the benchmark, not for quoting.
 */
const { values } = parseArgs({
  options: { json: { type: 'boolean' }, only: { type: 'string' }, quick: { type: 'boolean' } },
});
const scale = values.quick === true ? 0.01 : 1;

const report = (figure: Figure): void => {
  if (values.json === true) {
    console.log(JSON.stringify(figure));
    return;
  }
  const { name, value, unit, peer, peerValue, ratio } = figure;
  const beside = peer === null || peerValue === null ? '' : `  beside ${peer}: ${peerValue} ${unit}, ratio ${ratio}`;
  console.log(`${name}: ${value} ${unit}${beside}`);
};

const scenarios: Record<string, () => void | Promise<void>> = {
  machine: () => machine(report),
  acceptance: () => acceptance(report, Math.max(200, 5_000 * scale)),
  latency: () => latency(report, Math.max(100, 2_000 * scale)),
  beside: () => beside(report, Math.max(400, 4_800 * scale)),
  'slow-disk': () => slowDisk(report),
  backlog: async () => {
    await backlog(report, 10_000);
    await backlog(report, 1_000_000 * (scale === 1 ? 1 : 0.05));
  },
  eyes: () => eyes(report, Math.max(2, 24 * scale)),
  faces: () => faces(report, Math.max(20, 200 * scale)),
  inference: () => inference(report, Math.max(20, 100 * scale)),
  models: () => models(report, Math.max(10, 60 * scale)),
  cameras: () =>
    cameras(report, scale === 1 ? { counts: [2, 4, 8, 12, 16, 24], looks: 2 } : { counts: [2, 16], looks: 1 }),
  page: () => page(report, Math.max(20, 200 * scale), 1_000),
  decode: () => visionDecode(report, scale === 1 ? 60 : 10),
};

const wanted = values.only?.split(',') ?? Object.keys(scenarios);
for (const name of wanted) {
  const scenario = scenarios[name];
  if (scenario === undefined) {
    console.error(`there is no scenario ${name}; there are: ${Object.keys(scenarios).join(', ')}`);
    process.exit(2);
  }
  await scenario();
}
