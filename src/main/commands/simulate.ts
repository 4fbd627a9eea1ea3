import type { Command } from 'commander';
import { stringify } from 'yaml';
import type { DeviceConfig } from '../../config/schema.ts';
import { BUILT_IN_PROFILES, loadCatalogue } from '../../devices/catalogue.ts';
import { SystemClock } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { createLog } from '../../kernel/log.ts';
import type { Simulation, Totals } from '../../simulator/simulate.ts';
import { loadSettings } from '../settings.ts';
import { stopSignal } from '../stop-signal.ts';
import { Terminal } from '../terminal.ts';
import { share, wholeNumber } from './arguments.ts';

interface SimulateOptions {
  readonly url?: string;
  readonly config?: string;
  readonly devices: number;
  readonly rate: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly incidents?: number;
  readonly username?: string;
  readonly password?: string;
  readonly printDevices?: true;
  readonly json?: true;
}

/** Devices that have not been let in by then will not be. */
const LOGIN_PATIENCE_MS = 30_000;
const REPORT_MS = 5_000;

export function addSimulate(program: Command): void {
  program
    .command('simulate')
    .description('模拟设备 play devices against a broker, from the samples of their profiles')
    .option(
      '--url <url>',
      '接入地址 mqtt://HOST:PORT (default: the first of the configuration, else mqtt://127.0.0.1:1883)',
    )
    .option('--config <file>', '配置 play the devices of this gateway.yaml instead of made-up ones')
    .option('--devices <n>', '设备数 made-up devices sim-0001 …, of mixed models', wholeNumber(1, 20_000), 20)
    .option('--rate <n>', '每秒消息数 messages a second, all devices together', wholeNumber(0, 100_000), 5)
    .option('--seconds <n>', '时长 stop after this long (default: at Ctrl-C)', wholeNumber(1))
    .option('--seed <n>', '随机种子 the same seed tells the same story', wholeNumber(0), 1)
    .option('--incidents <share>', '报警占比 share of messages that are incidents, 0 to 1', share)
    .option('--username <name>', '一个账号 one login for all, for a broker that does not know the devices')
    .option('--password <text>', '密码 its password')
    .option('--print-devices', '打印配置 print the made-up devices for `devices:` of gateway.yaml, and play nothing')
    .option('--json', 'one JSON object at the end')
    .action(run);
}

async function run(options: SimulateOptions): Promise<void> {
  const terminal = new Terminal();
  const { standIns } = await import('../../simulator/compound.ts');
  if (options.printDevices === true) return terminal.line(stringify({ devices: standIns(options.devices) }).trimEnd());
  const stopped = stopSignal();
  const config = options.config === undefined ? null : loadSettings({ config: options.config }).config;
  const loggedIn = logIn(options, {
    url: options.url ?? config?.mqtt.listen[0]?.url ?? 'mqtt://127.0.0.1:1883',
    profiles: config?.profiles ?? [],
    devices: config?.devices ?? standIns(options.devices),
  });
  // Devices that are refused try for ever; they end with the process.
  const simulation = await Promise.race([loggedIn, stopped.then(() => process.exit(1))]);
  const clock = new SystemClock();
  const report = clock.every(REPORT_MS, () => {
    if (options.json !== true) void terminal.line(inWords(simulation.totals()));
  });
  void stopped.then(() => simulation.stop());
  const totals = await simulation.done;
  report.cancel();
  if (options.json === true) await terminal.json(totals);
  else await terminal.line(inWords(totals));
  if (totals.connected < totals.devices) process.exitCode = 1;
}

/** @throws QuanweiError UPSTREAM_UNAVAILABLE when a device is not let in */
async function logIn(
  options: SimulateOptions,
  what: { url: string; profiles: readonly string[]; devices: DeviceConfig[] },
): Promise<Simulation> {
  const { simulate } = await import('../../simulator/simulate.ts');
  const { seconds, seed, rate, incidents, username, password } = options;
  const clock = new SystemClock();
  const give = <K extends string, V>(key: K, value: V | undefined) =>
    (value === undefined ? {} : { [key]: value }) as { [key in K]?: V };
  // A device that is refused tries for ever, as real ones do; a person at a terminal wants to know.
  const patience = setTimeout(() => {
    process.stderr.write(
      `${new QuanweiError('BAD_CREDENTIALS', 'not every device was let in', {
        where: what.url,
        hint: 'does the broker listen there, and does it know these devices? quanwei simulate --print-devices',
      }).describe()}\n`,
    );
    process.exit(1);
  }, LOGIN_PATIENCE_MS);
  try {
    return await simulate({
      url: what.url,
      catalogue: loadCatalogue([BUILT_IN_PROFILES, ...what.profiles]),
      devices: what.devices,
      rate,
      seed,
      ...give('seconds', seconds),
      ...give('incidents', incidents),
      ...give('username', username),
      ...give('password', password),
      clock,
      log: createLog('simulate', process.env['QUANWEI_LOG'] ?? 'silent'),
    });
  } finally {
    clearTimeout(patience);
  }
}

const inWords = ({ connected, devices, sent, accepted, failed, receipts, p50, p99 }: Totals): string =>
  `在线 ${connected}/${devices} online   已发 ${sent} sent   已确认 ${accepted} acknowledged   失败 ${failed} failed   ` +
  `回执 ${receipts} receipts   确认耗时 p50 ${p50.toFixed(1)} ms p99 ${p99.toFixed(1)} ms`;
