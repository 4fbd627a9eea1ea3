import type { Command } from 'commander';
import { redact } from '../../vision/capture/address.ts';
import { askCamera, discoverCameras } from '../../vision/capture/onvif.ts';
import { Terminal } from '../terminal.ts';

export function addCameras(program: Command): void {
  const cameras = program.command('cameras').description('摄像头 find cameras of the network, ask one for its streams');
  cameras
    .command('discover')
    .description('搜索 list the cameras that answer ONVIF discovery; takes three seconds')
    .option('--json', '每行一个 JSON, one JSON object a line')
    .action(async ({ json }: { json?: true }) => {
      const terminal = new Terminal();
      const found = await discoverCameras();
      for (const camera of found) {
        if (json === true) await terminal.json(camera);
        else await terminal.line(`${camera.address}  ${camera.name}  ${camera.hardware}`);
      }
      if (found.length === 0 && json !== true) await terminal.line('没有摄像头应答 no camera answered');
    });
  cameras
    .command('streams')
    .argument('<address>', 'onvif://USER:PASSWORD@HOST[:PORT]')
    .description('视频流 ask a camera for its model, its streams and its clock')
    .option('--json', '一个 JSON 对象 one JSON object')
    .action(async (address: string, { json }: { json?: true }) => {
      const terminal = new Terminal();
      const { main, sub, snapshot, ...about } = await askCamera(address);
      // Whoever looks over the shoulder, or reads the terminal's record, sees no password.
      const shown = { ...about, main: redact(main), sub: redact(sub), snapshot: redact(snapshot ?? '') };
      if (json === true) await terminal.json(shown);
      else for (const [name, value] of Object.entries(shown)) await terminal.line(`${name}: ${value}`);
    });
}
