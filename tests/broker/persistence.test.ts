import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { program } from '../support/programs.ts';

test("MQTT sessions pass aedes-persistence's own abstract suite", { timeout: 120_000 }, () => {
  const suite = program('broker/persistence-suite');
  // The suite is written for Node's own test runner, and its reporter's last lines are counts.
  const { stdout, status } = spawnSync(process.execPath, ['--test-timeout=60000', '--test-reporter=tap', suite], {
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined },
  });
  const failures = stdout.split('\n').filter((line) => line.startsWith('not ok'));
  expect(failures).toEqual([]);
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(50);
  expect(status).toBe(0);
});
