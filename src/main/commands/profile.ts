import type { Command } from 'commander';
import { BUILT_IN_PROFILES, loadCatalogue } from '../../devices/catalogue.ts';
import { testProfile } from '../../devices/profile-test.ts';
import { loadSettings, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';

export function addProfile(program: Command): void {
  const profile = program.command('profile').description('设备模板 device profiles');
  profile
    .command('test')
    .description('试验模板 check a profile file and run every sample in it')
    .argument('<file...>', '模板文件 profile files')
    .option('--json', '每个文件一行 JSON, one JSON object a file')
    .action(async (files: string[], options: { json?: true }) => {
      const terminal = new Terminal();
      for (const file of files) {
        const result = testProfile(file);
        if (!result.ok) process.exitCode = 1;
        if (options.json === true) await terminal.json({ file, ...result });
        else await tell(terminal, file, result);
      }
    });
  withPlace(profile.command('list'))
    .description('列出模板 every device model this gateway knows')
    .option('--json', '每个模板一行 JSON, one JSON object a profile')
    .action(async (options: Place & { json?: true }) => {
      const own = options.config === undefined ? [] : loadSettings(options).config.profiles;
      const terminal = new Terminal();
      for (const { id, names, vendor, file } of loadCatalogue([BUILT_IN_PROFILES, ...own]).all()) {
        if (options.json === true) await terminal.json({ id, names, vendor, file });
        else await terminal.line(`${id.padEnd(22)} ${names.zh} · ${names.en}`);
      }
    });
}

async function tell(terminal: Terminal, file: string, { ok, problems, samples }: ReturnType<typeof testProfile>) {
  await terminal.line(`${ok ? '✓' : '✗'} ${file}`);
  for (const sample of samples) await terminal.line(`  ${sample.ok ? '✓' : '✗'} ${sample.name}`);
  for (const { where, what, hint } of problems) {
    await terminal.line(`  ${where}: ${what}${hint === '' ? '' : ` — ${hint}`}`);
  }
}
