import type { Command } from 'commander';
import { sound } from '../../journal/examine.ts';
import { verify } from '../../journal/maintenance.ts';
import { dataDirectory, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';

export function addVerify(program: Command): void {
  withPlace(program.command('verify'))
    .description(
      '校验 read every page of the database and walk the hash chain; 1 when an entry was changed, removed or added',
    )
    .option('--json', 'one JSON object')
    .action(async (options: Place & { json?: true }) => {
      const began = performance.now();
      const found = await verify(dataDirectory(options));
      const ok = sound(found);
      const { entries, erased, removed, broken, damage } = found;
      const terminal = new Terminal();
      if (options.json === true) await terminal.json({ ok, ...found, ms: Math.round(performance.now() - began) });
      else if (damage !== null) {
        await terminal.line('✗ 数据库文件损坏');
        await terminal.line(`  The database file is damaged: ${damage}`);
      } else if (broken !== null) {
        await terminal.line(`✗ 日志链在第 ${broken.seq} 条断开`);
        await terminal.line(`  The chain breaks at entry ${broken.seq}: ${broken.why}`);
      } else {
        await terminal.line(`✓ 校验通过：${entries} 条，其中 ${erased} 条内容已删除；另有 ${removed} 条已过保存期`);
        await terminal.line(
          `  The chain holds: ${entries} entries, ${erased} of them with erased bodies; ${removed} removed by retention`,
        );
      }
      if (!ok) process.exitCode = 1;
    });
}
