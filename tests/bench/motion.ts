import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRtsp } from '../support/rtsp.ts';
import { ending } from './ending.ts';
import { usedByTree } from './processes.ts';

/** It connects, fills its buffers and learns what rest is, ms. */
const WARM_UP = 8_000;
const MEASURED = 30_000;

/**
 * CPU seconds a second that Debian's `motion` takes to watch a film as a camera sends it, five frames a second, with
 * nothing stored and nothing shown.
 * @throws Error it ended, or saw nothing of the camera
 */
export async function motionAlone(file: string, width: number, height: number): Promise<number> {
  return ending(async (after) => {
    const camera = await startRtsp({ file });
    after(() => camera.kill());
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
    after(() => rmSync(dir, { recursive: true, force: true }));
    const lines = [
      ...['daemon off', 'setup_mode off', `netcam_url ${camera.url}`, `width ${width}`, `height ${height}`],
      ...['framerate 5', 'picture_output off', 'movie_output off', 'webcontrol_port 0', 'stream_port 0'],
      ...[`target_dir ${dir}`, 'log_level 5'],
    ];
    writeFileSync(join(dir, 'motion.conf'), `${lines.join('\n')}\n`);
    const motion = spawn('motion', ['-n', '-c', join(dir, 'motion.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    motion.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2_000);
    });
    after(async () => {
      if (motion.exitCode !== null || motion.signalCode !== null) return;
      const gone = once(motion, 'exit');
      motion.kill('SIGKILL');
      await gone;
    });
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    await pause(WARM_UP);
    const [before, begun] = [usedByTree(motion.pid ?? 0).cpu, performance.now()];
    await pause(MEASURED);
    const used = usedByTree(motion.pid ?? 0).cpu - before;
    if (motion.exitCode !== null) throw new Error(`motion ended with ${motion.exitCode}: ${said}`);
    if (used < 0.05) throw new Error(`motion sees nothing of the camera: ${said}`);
    return used / ((performance.now() - begun) / 1_000);
  });
}
