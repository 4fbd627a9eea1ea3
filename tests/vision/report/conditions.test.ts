import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../../src/kernel/clock.ts';
import { createLog } from '../../../src/kernel/log.ts';
import type { HealthEvent } from '../../../src/vision/event.ts';
import { Conditions, JUDGED_MS } from '../../../src/vision/report/conditions.ts';
import { dataDir } from '../../support/data-dir.ts';

const of = (condition: HealthEvent['condition'], active = true) =>
  ({ type: 'health', camera: 'cam', condition, active }) as const;

function conditions(file = join(dataDir(), 'told.json')) {
  const clock = new SimulatedClock();
  const told: string[] = [];
  const tell = ({ condition, active }: HealthEvent) => void told.push(`${condition} ${active}`);
  const it = new Conditions({ ...{ file, clock, tell }, log: createLog('test', 'silent') });
  it.connection(true);
  return { it, clock, told, file };
}

test('a camera that is started anew: what is remembered of its picture stays, the rest is taken back unless found again', () => {
  const { it, clock, told } = conditions();
  for (const condition of ['moved', 'degraded', 'dark'] as const) it.set(of(condition));
  told.length = 0;
  it.judgedAnew('cam', ['moved']);
  clock.advance(JUDGED_MS - 1_000);
  it.set(of('dark'));
  clock.advance(10 * JUDGED_MS);
  expect(told).toEqual(['degraded false']);
  expect(it.active.map(({ condition }) => condition).sort()).toEqual(['dark', 'moved']);
  it.set(of('moved', false));
  expect(told).toEqual(['degraded false', 'moved false']);
});

test('what was told is kept for the next process, for its owner only', () => {
  const { it, file } = conditions();
  it.set(of('moved'));
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([{ camera: 'cam', condition: 'moved' }]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const next = conditions(file);
  next.clock.advance(JUDGED_MS - 1_000);
  expect(next.told).toEqual([]);
  next.clock.advance(2_000);
  expect(next.told).toEqual(['moved false']);
});
