import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { iso, SystemClock } from '../../kernel/clock.ts';
import { type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';

export function addSupportBundle(program: Command): void {
  withPlace(program.command('support-bundle'))
    .description(
      '支持包 one file for whoever helps you: versions, check, configuration and journal, without secrets or people',
    )
    .option('--out <file>', '文件 where to write it (default: quanwei-support-TIME.tar.gz)')
    .option('--log <file>', '程序日志 the service’s log; - for standard input (default: ask systemd)')
    .option('--json', 'one JSON object')
    .action(async (options: Place & { out?: string; log?: string; json?: true }) => {
      const { supportBundle } = await import('../support-bundle.ts');
      const clock = new SystemClock();
      const { archive, files } = await supportBundle(options, clock, options.log);
      const stamp = iso(clock.wall()).replace(/[-:]|\.\d+/g, '');
      const file = resolve(options.out ?? `quanwei-support-${stamp}.tar.gz`);
      writeFileSync(file, archive, { mode: 0o600 });
      const terminal = new Terminal();
      if (options.json === true) return terminal.json({ file, bytes: archive.length, files });
      await terminal.line(file);
      await terminal.line(`  ${files.join(', ')}`);
    });
}
