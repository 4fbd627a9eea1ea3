import type { Command } from 'commander';
import { createLog } from '../../kernel/log.ts';
import { stopSignal } from '../stop-signal.ts';
import { Terminal } from '../terminal.ts';
import { wholeNumber } from './arguments.ts';

interface DemoOptions {
  readonly host: string;
  readonly port: number;
  readonly mqttPort: number;
  readonly data?: string;
  readonly prepare?: true;
  readonly json?: true;
}

const port = wholeNumber(1, 65_535);

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('演示 a gateway and a whole compound in software; needs no configuration and leaves nothing behind')
    .option(
      '--host <address>',
      '网页监听地址 where the page listens; 0.0.0.0 to look from another computer',
      '127.0.0.1',
    )
    .option('--port <n>', '网页端口 port of the page; another free one when it is taken', port, 8080)
    .option('--mqtt-port <n>', '设备端口 port for devices, likewise', port, 1883)
    .option('--data <dir>', '数据目录 keep the data here (default: a temporary directory)')
    .option('--prepare', '只准备摄像机素材 only compose the footage of its cameras, once a machine; half a minute')
    .option('--json', 'one JSON object, then nothing more')
    .action(async ({ host, port: httpPort, mqttPort, data, prepare, json }: DemoOptions) => {
      if (prepare === true) {
        const { prepareDemoCameras } = await import('../../simulator/footage/cameras.ts');
        const terminal = new Terminal();
        await prepareDemoCameras({ say: (line) => void terminal.line(`[demo] ${line}`) });
        return;
      }
      const stopped = stopSignal();
      const { startDemo } = await import('../demo.ts');
      const demo = await startDemo({
        host,
        httpPort,
        mqttPort,
        ...(data === undefined ? {} : { data }),
        log: createLog('demo', process.env['QUANWEI_LOG'] ?? 'error'),
      });
      const terminal = new Terminal();
      const { page, mqtt, devices, cameras, login } = demo;
      if (json === true) await terminal.json({ page, mqtt, devices, cameras, login });
      else {
        await terminal.line();
        await terminal.line('  泉卫演示 · Quanwei demo');
        await terminal.line();
        await terminal.line(`  网页 page      ${page}`);
        await terminal.line(`  用户 user      ${login?.name ?? '（上次的 as before）'}`);
        await terminal.line(`  密码 password  ${login?.password ?? '（上次的 as before）'}`);
        await terminal.line(`  设备 devices   ${devices}，${mqtt}`);
        if (cameras.length > 0)
          await terminal.line(`  摄像机 cameras ${cameras.join('，')}：约半分钟后有人翻墙 soon somebody climbs`);
        else
          await terminal.line(
            '  摄像机 cameras 无：素材未准备 none: their footage is not here; quanwei demo --prepare',
          );
        await terminal.line();
        await terminal.line('  约 8 秒后有火警，各门自动打开。In about 8 s there is a fire alarm, and the doors open.');
        await terminal.line('  Ctrl-C 停止，不留任何东西 stops and leaves nothing behind');
        await terminal.line();
      }
      await stopped;
      await demo.close();
    });
}
