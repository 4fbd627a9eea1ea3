import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../src/main/commands/index.ts';
import { quanwei, quanweiJson } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';

/** Every command and those below it, found where they are: a new one is covered without touching this. */
const withBelow = (command: Command, above: readonly string[] = []): { path: string[]; command: Command }[] => [
  { path: [...above], command },
  ...command.commands.flatMap((one) => withBelow(one, [...above, one.name()])),
];

test('every command has help, in Chinese and English', () => {
  const program = new Command('quanwei');
  for (const add of COMMANDS) add(program);
  const all = withBelow(program).slice(1);
  const names = all.map(({ path }) => path.join(' '));
  expect(names).toEqual(expect.arrayContaining(['up', 'gateway', 'check', 'simulate', 'verify', 'backup', 'restore']));
  expect(names).toEqual(expect.arrayContaining(['journal', 'profile test', 'ca issue', 'support-bundle', 'demo']));
  for (const { path, command } of all) {
    const help = command.helpInformation();
    expect(help, path.join(' ')).toContain(['Usage: quanwei', ...path].join(' '));
    expect(help, path.join(' ')).toMatch(/[\u4e00-\u9fff]/);
    expect(help, path.join(' ')).toContain('-h, --help');
  }
});

// The gateway's start loads no other command, and one below another has a way of its own.
test.each([[[]], [['gateway']], [['profile', 'test']]])(
  'help goes to standard output and is no failure: %j',
  async (path) => {
    const { code, stdout, stderr } = await quanwei(...path, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(['Usage: quanwei', ...path].join(' '));
  },
);

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
