import { expect, test } from 'vitest';
import { Accounts } from '../../src/api/accounts.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { open } from '../journal/support.ts';
import { quanwei, quanweiJson } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';

const clock = new SystemClock();

test('a lost password is replaced from the console: the new one works once, the old one no more, and who did it is recorded', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  await (await Accounts.load({ journal, clock })).bootstrap('the-forgotten-one');

  const busy = await quanwei('password', 'admin', '--data', dir);
  expect(busy.code, 'the gateway runs').toBe(1);
  expect(busy.stderr).toMatch(/^STORAGE_LOCKED/);
  await journal.close();

  const nobody = await quanwei('password', 'nobody', '--data', dir);
  expect(nobody).toMatchObject({ code: 1 });
  expect(nobody.stderr).toMatch(/^NOT_FOUND/);

  const { code, value } = await quanweiJson<{ name: string; password: string }>('password', 'admin', '--data', dir);
  expect(code).toBe(0);
  const again = await open(dir);
  const accounts = await Accounts.load({ journal: again, clock });
  expect(await accounts.check('admin', value.password)).toMatchObject({ name: 'admin', mustChange: true });
  await expect(accounts.check('admin', 'the-forgotten-one')).rejects.toMatchObject({ code: 'BAD_CREDENTIALS' });
  const [entry] = again.read({ kinds: ['account.changed'], limit: 1, newestFirst: true });
  expect(entry?.actor).toMatch(/^console:/);
  expect(JSON.stringify(entry?.body)).not.toContain(value.password);
});
