import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { AlarmDeed } from '../../src/alarms/actions.ts';
import { defaultGrade } from '../../src/alarms/grading.ts';
import { CATEGORIES, type Category } from '../../src/devices/event.ts';
import { alarmsConfig } from './site.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/alarms.md', import.meta.url)), 'utf8');
const word = (grade: number | null) => (grade === null ? '仅记录 record' : String(grade));

test('docs/alarms.md lists every category with the level it has without rules', () => {
  const rows = [...page.matchAll(/^\| `([a-z.]+)` \| (.*) \| (.*) \|$/gm)]
    .map(([, category, names, level]) => ({ category, names, level }))
    .filter(({ category }) => category !== undefined && Object.hasOwn(CATEGORIES, category));
  expect(rows).toEqual(
    (Object.keys(CATEGORIES) as Category[]).map((category) => {
      const [plain, grave] = defaultGrade(category);
      const { zh, en } = CATEGORIES[category];
      return {
        category,
        names: `${zh} ${en}`,
        level: plain === grave ? word(plain) : `${word(plain)}，生命安全设备 life safety: ${word(grave)}`,
      };
    }),
  );
});

test('docs/alarms.md has the deadlines of the default configuration', () => {
  const { levels } = alarmsConfig();
  const told = [...page.matchAll(/^\| ([1-4]) \| .* \| (\d+) (s|min|h|d) \| (\d+) (s|min|h|d) \|$/gm)].map(
    ([, level, acknowledge, a, close, c]) => [Number(level), ms(acknowledge, a), ms(close, c)],
  );
  expect(told).toEqual(
    ([1, 2, 3, 4] as const).map((level) => [level, levels[level]?.acknowledge, levels[level]?.close]),
  );
});

test('docs/alarms.md names every deed that needs something', () => {
  const needing = AlarmDeed.options
    .map((option) => option.shape.type.value)
    .filter((type) => !['acknowledge', 'accept', 'dispatch', 'handle', 'unshelve', 'note'].includes(type));
  for (const type of needing) expect(page).toMatch(new RegExp(`^\\| \\S+ ${type} \\|`, 'm'));
});

const UNITS: Record<string, number> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const ms = (amount: string | undefined, unit: string | undefined) => Number(amount) * (UNITS[unit ?? ''] ?? Number.NaN);
