import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Ended, quanwei, quanweiJson } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';

const namesIn = (help: string): string[] =>
  [...(help.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}([a-z][a-z-]+)(?: |$)/gm)]
    .map((match) => match[1] as string)
    .filter((name) => name !== 'help');

/** Help of every command and of those below it, found in the help itself: a new one is covered without touching this. */
async function helps(above: readonly string[] = []): Promise<{ command: string[]; help: Ended }[]> {
  const help = await quanwei(...above, '--help');
  const below: { command: string[]; help: Ended }[] = [];
  for (const name of namesIn(help.stdout)) below.push(...(await helps([...above, name])));
  return [{ command: [...above], help }, ...below];
}

test('every command has help, in Chinese and English, on standard output', async () => {
  const all = await helps();
  const names = all.map(({ command }) => command.join(' '));
  expect(names).toEqual(expect.arrayContaining(['up', 'gateway', 'check', 'simulate', 'verify', 'backup', 'restore']));
  expect(names).toEqual(expect.arrayContaining(['journal', 'profile test', 'ca issue', 'support-bundle', 'demo']));
  for (const { command, help } of all) {
    expect({ command, code: help.code, stderr: help.stderr }).toEqual({ command, code: 0, stderr: '' });
    expect(help.stdout, command.join(' ')).toContain(['Usage: quanwei', ...command].join(' '));
    expect(help.stdout, command.join(' ')).toMatch(/[\u4e00-\u9fff]/);
  }
}, 120_000);

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
