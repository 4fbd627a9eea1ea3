import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { backup, backupsIn, restore } from '../../journal/backup.ts';
import { SystemClock } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { loadSettings, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';
import { wholeNumber } from './arguments.ts';

/** Backups kept where no configuration says how many. */
const KEEP = 14;

interface Where {
  readonly data: string;
  readonly to: string;
  readonly keep: number;
}

/** Where the data and its backups are; with `--data` no configuration is needed. */
function whereIs(options: Place & { to?: string; keep?: number }): Where {
  if (options.data !== undefined && options.config === undefined) {
    const data = resolve(options.data);
    return { data, to: resolve(options.to ?? join(data, 'backups')), keep: options.keep ?? KEEP };
  }
  const { data, backup: wanted } = loadSettings(options).config;
  const to = options.to ?? wanted.dir ?? join(data, 'backups');
  return { data, to: resolve(to), keep: options.keep ?? wanted.keep };
}

export function addBackup(program: Command): void {
  withPlace(program.command('backup'))
    .description('备份 copy the journal while the gateway runs, and verify the copy')
    .option('--to <dir>', '备份目录 directory of the backups; best on another disk')
    .option('--keep <n>', '保留几份 how many to keep', wholeNumber(1, 365))
    .option('--json', 'one JSON object')
    .action(async (options: Place & { to?: string; keep?: number; json?: true }) => {
      const { data, to, keep } = whereIs(options);
      const began = performance.now();
      const made = await backup({ dir: data, to, keep, clock: new SystemClock() });
      const terminal = new Terminal();
      if (options.json === true) return terminal.json({ ...made, ms: Math.round(performance.now() - began) });
      await terminal.line(`✓ 已备份并校验：${made.file}`);
      await terminal.line(`  Backed up and verified: ${made.head} entries, ${made.bytes} bytes`);
      for (const file of made.removed) await terminal.line(`  - ${file}`);
    });
}

export function addRestore(program: Command): void {
  withPlace(program.command('restore'))
    .description('恢复 put a backup in the place of the journal; the gateway must be stopped, what was there is kept')
    .argument('[file]', '备份文件 the backup (default: the newest)')
    .option('--to <dir>', '备份目录 where the backups are')
    .option('--json', 'one JSON object')
    .action(async (given: string | undefined, options: Place & { to?: string; json?: true }) => {
      const { data, to } = whereIs(options);
      const file = given === undefined ? backupsIn(to).at(-1) : resolve(given);
      if (file === undefined) throw new QuanweiError('NOT_FOUND', 'there is no backup', { where: to });
      const { setAside, head } = await restore({ file, dir: data, clock: new SystemClock() });
      const terminal = new Terminal();
      if (options.json === true) return terminal.json({ file, head, setAside });
      await terminal.line(`✓ 已恢复：${file}（${head} 条）`);
      await terminal.line(`  Restored: ${head} entries`);
      if (setAside !== null) await terminal.line(`  原数据保留在 what was there is kept as ${setAside}`);
    });
}
