import { expect, test } from 'vitest';
import { quanwei, quanweiJson } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';

/** Names of all commands, from the help itself: a new one is covered without touching this test. */
async function commands(): Promise<string[][]> {
  const { stdout } = await quanwei('--help');
  const names = [...stdout.matchAll(/^ {2}([a-z][a-z-]+)(?: |$)/gm)].map((match) => match[1] as string);
  const known = names.filter((name) => name !== 'help');
  const nested = await Promise.all(
    known.map(async (name) => {
      const help = await quanwei(name, '--help');
      const below = help.stdout.split('\nCommands:\n')[1] ?? '';
      return [...below.matchAll(/^ {2}([a-z][a-z-]+)(?: |$)/gm)]
        .map((match) => [name, match[1] as string])
        .filter(([, sub]) => sub !== 'help');
    }),
  );
  return [...known.map((name) => [name]), ...nested.flat()];
}

test('every command has help, in Chinese and English, on standard output', async () => {
  const all = await commands();
  expect(all.flat()).toEqual(
    expect.arrayContaining(['up', 'gateway', 'check', 'simulate', 'verify', 'backup', 'restore', 'journal', 'profile']),
  );
  expect(all.flat()).toEqual(expect.arrayContaining(['ca', 'support-bundle', 'demo', 'version']));
  for (const command of all) {
    const { code, stdout, stderr } = await quanwei(...command, '--help');
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
    expect(stdout, command.join(' ')).toContain(`quanwei ${command.join(' ')}`);
    expect(stdout, command.join(' ')).toMatch(/[\u4e00-\u9fff]/);
  }
});

test.each([
  [['nonsense'], 'unknown command'],
  [['journal', '--nonsense'], 'unknown option'],
  [['journal', '--from'], 'argument missing'],
  [['journal', '--from', 'one'], 'a whole number from 1'],
  [['journal', '--kind', 'nonsense'], 'known kinds'],
  [['verify', 'too', 'many'], 'too many arguments'],
  [['profile', 'test'], 'missing required argument'],
  [['backup', '--keep', '0'], 'a whole number from 1 to 365'],
])('wrong use ends with 2 and says why on standard error: %j', async (args, why) => {
  const { code, stdout, stderr } = await quanwei(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(why);
});

test('no command at all is wrong use and shows the help', async () => {
  const { code, stderr } = await quanwei();
  expect(code).toBe(2);
  expect(stderr).toContain('Usage: quanwei');
});

test('what was found to be wrong ends with 1 and a code from the list of errors', async () => {
  const { code, stdout, stderr } = await quanwei('journal', '--data', `${dataDir()}/nothing-here`);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^NOT_FOUND: .*nothing-here/);
});

test('a mistake in the configuration is told with file, line and column', async () => {
  const { writeFileSync } = await import('node:fs');
  const file = `${dataDir()}/gateway.yaml`;
  writeFileSync(file, 'site: {id: a, name: b, street: c}\nhttp:\n  lissten: http://127.0.0.1:1\n');
  const { code, stderr } = await quanwei('verify', '--config', file);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^BAD_CONFIG: .*gateway\.yaml:3:3: .*lissten/);
});

test('version names the program and what it runs on', async () => {
  const { code, value } = await quanweiJson<Record<string, string>>('version');
  expect(code).toBe(0);
  expect(value).toMatchObject({ quanwei: expect.stringMatching(/^\d+\.\d+\.\d+/), node: process.versions.node });
  expect((await quanwei('--version')).stdout.trim()).toBe(value['quanwei']);
});
