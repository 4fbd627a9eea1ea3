import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { program } from '../support/programs.ts';

test('what a burst left behind is given back when the event loop is idle, and not before', () => {
  const said = execFileSync(process.execPath, [program('kernel/burst')], { encoding: 'utf8' });
  const { burst, busy, quiet } = JSON.parse(said) as { burst: number; busy: number; quiet: number };
  expect(burst).toBeGreaterThan(30);
  expect(busy).toBeGreaterThanOrEqual(burst);
  expect(quiet).toBeLessThan(burst / 2);
});
