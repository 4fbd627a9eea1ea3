import type { Command } from 'commander';
import { examine } from '../checks/examination.ts';
import { type Finding, MARK } from '../checks/finding.ts';
import { type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';

export function addCheck(program: Command): void {
  withPlace(program.command('check'))
    .description(
      '体检 check disk, clock, ports, certificates, centre, cameras, profiles, configuration and journal; changes nothing',
    )
    .option('--json', 'one JSON object')
    .action(async (options: Place & { json?: true }) => {
      const findings = await examine(options);
      const terminal = new Terminal();
      const count = (verdict: Finding['verdict']) => findings.filter((one) => one.verdict === verdict).length;
      const summary = { good: count('good'), doubtful: count('doubtful'), bad: count('bad') };
      if (options.json === true) await terminal.json({ ok: summary.bad === 0, ...summary, findings });
      else {
        for (const finding of findings) {
          await terminal.line(`${MARK[finding.verdict]} ${finding.text.zh}`);
          await terminal.line(`  ${finding.text.en}`);
          if (finding.advice !== undefined) await terminal.line(`    → ${finding.advice.zh} · ${finding.advice.en}`);
        }
        await terminal.line();
        await terminal.line(`✓ ${summary.good}   ! ${summary.doubtful}   ✗ ${summary.bad}`);
      }
      if (summary.bad > 0) process.exitCode = 1;
    });
}
