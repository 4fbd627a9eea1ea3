import type { Command } from 'commander';
import { JournalReader } from '../../journal/reader.ts';
import { verifyChain } from '../../journal/verify.ts';
import { dataDirectory, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';
import { wholeNumber } from './arguments.ts';

interface VerifyOptions extends Place {
  readonly newest?: number;
  readonly json?: true;
}

export function addVerify(program: Command): void {
  withPlace(program.command('verify'))
    .description(
      '校验日志链 walk the hash chain of the journal; ends with 1 when an entry was changed, removed or added',
    )
    .option('--newest <n>', '只校验最新的 n 条 only the newest n entries', wholeNumber(1))
    .option('--json', 'one JSON object')
    .action(async (options: VerifyOptions) => {
      const reader = JournalReader.open(dataDirectory(options));
      try {
        const began = performance.now();
        const found = verifyChain(reader.database, options.newest === undefined ? {} : { newest: options.newest });
        const ok = found.broken === null;
        const terminal = new Terminal();
        if (options.json === true) await terminal.json({ ok, ...found, ms: Math.round(performance.now() - began) });
        else if (found.broken === null) {
          await terminal.line(
            `✓ 校验通过：${found.entries} 条，其中 ${found.erased} 条内容已删除，${found.removed} 条已过保存期`,
          );
          await terminal.line(
            `  The chain holds: ${found.entries} entries, ${found.erased} with erased bodies, ${found.removed} removed by retention`,
          );
        } else {
          await terminal.line(`✗ 第 ${found.broken.seq} 条被改动`);
          await terminal.line(`  The chain breaks at entry ${found.broken.seq}: ${found.broken.why}`);
        }
        if (!ok) process.exitCode = 1;
      } finally {
        reader.close();
      }
    });
}
