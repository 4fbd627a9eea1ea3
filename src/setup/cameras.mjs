import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { show } from './run.mjs';

/** The footage the demo's cameras show, composed once a machine. Without it the demo has no cameras, and says so. */
export async function prepareCameras(root, { say, env }) {
  const program = join(root, 'dist', 'main', 'cli.js');
  if (!existsSync(program)) return;
  const code = await show(process.execPath, [program, 'demo', '--prepare'], { cwd: root, env });
  if (code !== 0) say('the demo will have no cameras: their footage could not be made');
}
