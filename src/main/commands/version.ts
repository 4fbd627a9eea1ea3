import { createRequire } from 'node:module';
import type { Command } from 'commander';
import { z } from 'zod';
import { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';

const NativePackage = z.object({ version: z.string() });

export function addVersion(program: Command): void {
  program
    .command('version')
    .description('版本信息 versions of the program and of what it runs on')
    .option('--json', 'one JSON object')
    .action(async (options: { json?: true }) => {
      const terminal = new Terminal();
      const versions = {
        quanwei: VERSION,
        node: process.versions.node,
        betterSqlite3: NativePackage.parse(createRequire(import.meta.url)('better-sqlite3/package.json')).version,
        platform: `${process.platform}-${process.arch}`,
      };
      if (options.json === true) return terminal.json(versions);
      for (const [what, version] of Object.entries(versions)) await terminal.line(`${what} ${version}`);
    });
}
