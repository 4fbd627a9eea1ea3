import { expect, onTestFinished, test } from 'vitest';
import { effectScope } from 'vue';
import { tellBackAgain } from '../../src/page/state/back-again.ts';
import { type Pages, usePages } from '../../src/page/state/pages.ts';

const PAGE = 3;

/** A list at the gateway that grows, three rows a page, and somebody who looks at it. */
async function looking(held: number[]): Promise<Pages<number>> {
  const scope = effectScope();
  onTestFinished(() => scope.stop());
  const pages = scope.run(() =>
    usePages<number>(
      async (before) => {
        const older = held.filter((row) => before === null || row < before).sort((a, b) => b - a);
        const rows = older.slice(0, PAGE);
        return { rows, next: older.length > PAGE ? (rows.at(-1) ?? null) : null };
      },
      String,
      null,
    ),
  ) as Pages<number>;
  await pages.read();
  return pages;
}

test('rows that come push none out between the new and the old', async () => {
  const held = [1, 2, 3, 4, 5, 6, 7];
  const pages = await looking(held);
  expect(pages.rows.value).toEqual([7, 6, 5]);
  await pages.older();
  expect(pages.rows.value).toEqual([7, 6, 5, 4, 3, 2]);
  for (const more of [8, 9, 10, 11, 12]) {
    held.push(more);
    await pages.read();
  }
  expect(pages.rows.value).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
  await pages.older();
  expect(pages.rows.value?.at(-1)).toBe(1);
  expect(pages.more.value).toBe(false);
});

test('when more has come at once than a page tells, the list begins anew instead of leaving some out', async () => {
  const held = [1, 2, 3, 4, 5, 6, 7];
  const pages = await looking(held);
  await pages.older();
  held.push(8, 9, 10, 11);
  await pages.read();
  expect(pages.rows.value).toEqual([11, 10, 9]);
  expect(pages.more.value).toBe(true);
  await pages.older();
  expect(pages.rows.value).toEqual([11, 10, 9, 8, 7, 6]);
});

test('a list is read again when the gateway is back', async () => {
  const held = [1, 2];
  const pages = await looking(held);
  held.push(3);
  tellBackAgain();
  await expect.poll(() => pages.rows.value).toEqual([3, 2, 1]);
});
