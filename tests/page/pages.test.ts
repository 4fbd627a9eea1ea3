import { expect, onTestFinished, test } from 'vitest';
import { effectScope } from 'vue';
import { tellBackAgain } from '../../src/page/state/back-again.ts';
import { type Page, type Pages, usePages } from '../../src/page/state/pages.ts';

const PAGE = 3;

type Ask = (before: number | null) => Promise<Page<number>>;

/** Three rows a page, of all that are there. */
const dense =
  (held: readonly number[]): Ask =>
  async (before) => {
    const older = held.filter((row) => before === null || row < before).sort((a, b) => b - a);
    const rows = older.slice(0, PAGE);
    return { rows, next: older.length > PAGE ? (rows.at(-1) ?? null) : null };
  };

/** As a search for what is seldom: ten entries are looked through at a time, few of them are what is asked for. */
const sparse =
  (head: () => number, held: readonly number[]): Ask =>
  async (before) => {
    const top = before ?? head() + 1;
    const low = Math.max(1, top - 10);
    const rows = held.filter((row) => row >= low && row < top).sort((a, b) => b - a);
    return { rows, next: low === 1 ? null : low };
  };

/** Somebody who looks at a list. */
async function looking(ask: Ask): Promise<Pages<number>> {
  const scope = effectScope();
  onTestFinished(() => scope.stop());
  const pages = scope.run(() => usePages<number>(ask, String, null)) as Pages<number>;
  await pages.read();
  return pages;
}

test('rows that come push none out between the new and the old', async () => {
  const held = [1, 2, 3, 4, 5, 6, 7];
  const pages = await looking(dense(held));
  expect(pages.rows.value).toEqual([7, 6, 5]);
  await pages.older();
  expect(pages.rows.value).toEqual([7, 6, 5, 4, 3, 2]);
  for (const more of [8, 9, 10, 11, 12]) {
    held.push(more);
    await pages.read();
  }
  // More at once than one page tells.
  held.push(13, 14, 15, 16, 17);
  await pages.read();
  expect(pages.rows.value).toEqual([17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
  await pages.older();
  expect(pages.rows.value?.at(-1)).toBe(1);
  expect(pages.more.value).toBe(false);
});

test('when more has come than a few pages tell, the list begins anew instead of leaving some out', async () => {
  const held = [1, 2, 3, 4, 5, 6, 7];
  const pages = await looking(dense(held));
  await pages.older();
  for (let row = 8; row <= 107; row += 1) held.push(row);
  await pages.read();
  expect(pages.rows.value).toEqual([107, 106, 105]);
  expect(pages.more.value).toBe(true);
  await pages.older();
  expect(pages.rows.value).toEqual([107, 106, 105, 104, 103, 102]);
});

test('a row that comes while older ones are on their way pushes none out either', async () => {
  const held = [1, 2, 3, 4, 5, 6, 7];
  let wait = Promise.resolve();
  const ask = dense(held);
  const pages = await looking(async (before) => {
    const page = await ask(before);
    if (before !== null) await wait;
    return page;
  });
  let arrive = (): void => undefined;
  wait = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const older = pages.older();
  held.push(8);
  await pages.read();
  arrive();
  await older;
  expect(pages.rows.value).toEqual([8, 7, 6, 5, 4, 3, 2]);
});

test('what was found far back stays while nothing new is found, and while little is', async () => {
  let head = 40;
  const held = [5, 12];
  const pages = await looking(sparse(() => head, held));
  expect(pages.rows.value).toEqual([]);
  for (let more = 0; more < 3; more += 1) await pages.older();
  expect(pages.rows.value).toEqual([12, 5]);
  head = 44;
  await pages.read();
  expect(pages.rows.value).toEqual([12, 5]);
  expect(pages.more.value).toBe(false);
  held.push(52);
  head = 70;
  await pages.read();
  expect(pages.rows.value).toEqual([52, 12, 5]);
});

test('a list that is left open does not grow for ever; what somebody asked for stays', async () => {
  const held = Array.from({ length: 2_400 }, (_, n) => n + 1);
  const pages = await looking(dense(held));
  for (let more = 0; more < 780; more += 1) await pages.older();
  await pages.read();
  expect(pages.rows.value).toHaveLength(2_343);
  for (let row = 2_401; row <= 4_410; row += 1) {
    held.push(row);
    if (row % 10 === 0) await pages.read();
  }
  expect(pages.rows.value?.length).toBeLessThan(100);
});

test('a list is read again when the gateway is back', async () => {
  const held = [1, 2];
  const pages = await looking(dense(held));
  held.push(3);
  tellBackAgain();
  await expect.poll(() => pages.rows.value).toEqual([3, 2, 1]);
});
