import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Whether this machine lets a test mount file systems of its own. Where CI=true it has to: a fault that is not played
 * is not proved.
 */
export function canMount(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-mount-'));
  const mounted = process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', dir]).status === 0;
  if (mounted) execFileSync('umount', [dir]);
  rmSync(dir, { recursive: true, force: true });
  if (!mounted && process.env['CI'] === 'true') throw new Error('the tests of a full disk need root and mount(8)');
  if (!mounted) console.warn('skipped: the tests of a full and of a read-only disk need root and mount(8)');
  return mounted;
}

function mount(args: string[], what: string): string {
  const dir = mkdtempSync(join(tmpdir(), `quanwei-${what}-`));
  const device = statSync(dir).dev;
  execFileSync('mount', [...args, dir]);
  if (statSync(dir).dev === device) throw new Error(`${dir} was not mounted`);
  onTestFinished(() => {
    // Lazily: a test that failed may have left something open. When it is not mounted any more, all the better.
    spawnSync('umount', ['-l', dir]);
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** A disk of that many MiB, gone after the test. */
export const smallDisk = (mebibytes: number): string =>
  mount(['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs'], 'disk');

/** An ext4 disk of 32 MiB that can be made to fail as real ones do: it turns read-only under open files. */
export function failingDisk(): { dir: string; fail(): void; mend(): void } {
  const image = join(mkdtempSync(join(tmpdir(), 'quanwei-image-')), 'disk.img');
  onTestFinished(() => rmSync(join(image, '..'), { recursive: true, force: true }));
  execFileSync('truncate', ['-s', '32M', image]);
  execFileSync('mkfs.ext4', ['-q', image]);
  const dir = mount(['-o', 'loop', image], 'ext4');
  return {
    dir,
    fail: () => void execFileSync('mount', ['-o', 'remount,abort', dir]),
    mend() {
      execFileSync('umount', [dir]);
      const checked = spawnSync('e2fsck', ['-fy', image]).status ?? 8;
      if (checked > 1) throw new Error(`e2fsck ended with ${checked}`); // 1: it has mended something
      execFileSync('mount', ['-o', 'loop', image, dir]);
    },
  };
}
