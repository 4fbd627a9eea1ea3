import { join } from 'node:path';
import type { Command } from 'commander';
import { wantsVision } from '../../config/cameras.ts';
import { SystemClock } from '../../kernel/clock.ts';
import { writeDurably } from '../../kernel/durable-file.ts';
import { createLog, type Log } from '../../kernel/log.ts';
import { giveBackAfterBursts, letYoungGenerationGrow } from '../../kernel/memory.ts';
import { addressesOf, canConnect, gatewayAnswers } from '../checks/ports.ts';
import type { Gateway, GatewayOptions } from '../gateway.ts';
import { ServiceManager } from '../notify.ts';
import { loadSettings, type Place, type Settings, withPlace } from '../settings.ts';
import { stopSignal } from '../stop-signal.ts';
import { supportMaker } from '../support-child.ts';
import { Terminal } from '../terminal.ts';
import { keepVision } from '../vision-child.ts';

/** Password of the first administrator, for installations that nobody sits in front of. */
const FIRST_PASSWORD = 'QUANWEI_ADMIN_PASSWORD';

export function addGateway(program: Command): void {
  withPlace(program.command('gateway'))
    .description('运行网关 run the gateway as a service; logs JSON lines, tells systemd')
    .action(async (place: Place) => {
      const stopped = stopSignal();
      const settings = loadSettings(place);
      const log = createLog('gateway');
      const clock = new SystemClock();
      const manager = new ServiceManager({ clock, log });
      for (const problem of settings.warnings) log.warn(problem, 'configuration');
      let end: (what: string) => void = () => undefined;
      const asked = new Promise<string>((resolve) => {
        end = resolve;
      });
      // Restart=always: whatever ends in good order is started again.
      const restart = process.env['NOTIFY_SOCKET'] === undefined ? undefined : () => end('restart');
      const patientFor = <T>(what: string, work: Promise<T>) => manager.patientFor(what, work);
      const gateway = await open(settings, log, clock, { patientFor, ...(restart === undefined ? {} : { restart }) });
      if (gateway.firstLogin !== null && process.env[FIRST_PASSWORD] === undefined) {
        const file = keepFirstLogin(settings.config.data, gateway.firstLogin);
        log.warn({ file }, 'the first administrator was made; sign in, change the password, remove the file');
      }
      log.info({ mqtt: gateway.mqtt, http: gateway.http }, 'the gateway is ready');
      await manager.ready(`${gateway.http}  ${gateway.mqtt.join(' ')}`);
      manager.watch(() => answers(settings));
      const signal = await Promise.race([stopped, asked]);
      log.info({ signal }, 'the gateway stops');
      await manager.stopping();
      await gateway.close();
    });
}

export function addUp(program: Command): void {
  withPlace(program.command('up'))
    .description('在终端运行 run everything for one person at one terminal; Ctrl-C stops')
    .action(async (place: Place) => {
      const stopped = stopSignal();
      const settings = loadSettings(place);
      const log = createLog('gateway', process.env['QUANWEI_LOG'] ?? 'warn');
      const clock = new SystemClock();
      const gateway = await open(settings, log, clock);
      const { cameras, vision, data } = settings.config;
      // Where a broker is named they are watched by another box.
      const seeing =
        !wantsVision({ cameras, vision }) || vision.broker !== undefined
          ? null
          : keepVision(['--config', settings.file, ...(place.data === undefined ? [] : ['--data', data])], clock, log);
      const terminal = new Terminal();
      await terminal.line(`网页 page     ${gateway.http}`);
      for (const url of gateway.mqtt) await terminal.line(`设备 devices  ${url}`);
      if (gateway.firstLogin !== null) {
        const { name, password } = gateway.firstLogin;
        await terminal.line(`首次登录 first login: ${name} / ${password}  （请立即修改 change it at once）`);
      }
      if (seeing !== null) await terminal.line(`摄像机 cameras  ${cameras.length}`);
      await terminal.line('Ctrl-C 停止 stops');
      await stopped;
      await seeing?.stop();
      await gateway.close();
    });
}

async function open(
  { file, config, locate }: Settings,
  log: Log,
  clock: SystemClock,
  more: Pick<GatewayOptions, 'restart' | 'patientFor'> = {},
): Promise<Gateway> {
  // Loaded here: commands that only read a file should not wait for the whole gateway.
  const { startGateway } = await import('../gateway.ts');
  const firstPassword = process.env[FIRST_PASSWORD];
  const gateway = await startGateway({
    config,
    locate,
    clock,
    log,
    ...(firstPassword === undefined ? {} : { firstPassword }),
    support: supportMaker(process.argv[1] ?? '', ['--config', file, '--data', config.data]),
    ...more,
  });
  letYoungGenerationGrow();
  giveBackAfterBursts(clock);
  return gateway;
}

/** Told to whoever may read the data directory, and to no log. */
function keepFirstLogin(data: string, { name, password }: { name: string; password: string }): string {
  const file = join(data, 'first-login.txt');
  writeDurably(file, `${name}\n${password}\n`, 0o600);
  return file;
}

/**
 * Alive means that the doors answer: devices can connect and the page is served. A disk that cannot be written is told
 * by `/healthz` and the page; a restart would not mend it and would take the page away.
 */
async function answers({ config }: Settings): Promise<boolean> {
  const addresses = addressesOf(config);
  const [page, ...devices] = await Promise.all([
    gatewayAnswers(config).then(({ running }) => running),
    ...addresses.filter(({ what }) => what === 'mqtt').map(canConnect),
  ]);
  return page === true && devices.every(Boolean);
}
