import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Accounts } from '../../api/accounts.ts';
import { Journal } from '../../journal/journal.ts';
import { SystemClock } from '../../kernel/clock.ts';
import { idSource } from '../../kernel/ids.ts';
import { createLog } from '../../kernel/log.ts';
import { loadSettings, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';

/**
 * For the day when the last administrator forgot theirs. Whoever may write the data directory may do it; the gateway has
 * to be stopped, because there is one writer, and it is in the journal under the name of the system's user.
 */
export function addPassword(program: Command): void {
  withPlace(program.command('password'))
    .description(
      '重置密码 give an account a new password, to be changed at the next sign-in; the gateway must be stopped',
    )
    .argument('<name>', '用户名 user name, such as admin')
    .option('--json', 'one JSON object')
    .action(async (name: string, options: Place & { json?: true }) => {
      const dir = options.data === undefined ? loadSettings(options).config.data : resolve(options.data);
      const clock = new SystemClock();
      const journal = await Journal.open({
        dir,
        clock,
        log: createLog('password', process.env['QUANWEI_LOG'] ?? 'error'),
        newId: idSource(clock),
      });
      try {
        const accounts = await Accounts.load({ journal, clock });
        const password = await accounts.resetPassword(name, `console:${userInfo().username}`);
        const terminal = new Terminal();
        if (options.json === true) await terminal.json({ name, password });
        else {
          await terminal.line(`✓ ${name} 的新密码 new password: ${password}`);
          await terminal.line('  下次登录须修改，所有已登录的会话已结束');
          await terminal.line('  To be changed at the next sign-in; every session of this account has ended');
        }
      } finally {
        await journal.close();
      }
    });
}
