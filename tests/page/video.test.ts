import type { CDPSession, Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, Box } from '../api/box.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';
import { film, vision } from './vision.ts';

/** A browser, a server and a film on a busy machine. */
const PATIENCE = { timeout: 90_000 };
const EVIL = '<img src=x onerror=alert(1)>';
type At = readonly [x: number, y: number];

/** A camera with a picture, and a manager's browser at its room. */
async function room(size?: { width: number; height: number }, more: object = {}, expected?: RegExp) {
  const parts = await vision(film());
  parts.picture.put({ width: 1, height: 1, data: new Uint8Array(3) }, Date.now());
  const cameras = parts.settings.cameras.map((one) => ({ ...one, ...more }));
  const box = await Box.start({ settings: { cameras }, parts: parts.parts });
  const { page } = await visit(box, size, expected);
  await signIn(page, 'admin', ADMIN);
  await page.waitForSelector('[data-pill=live].good');
  await page.goto(`${box.base}/#/video/cam-1`);
  await page.waitForSelector('img.still');
  return { box, page };
}

async function onPicture(page: Page, [x, y]: At): Promise<{ x: number; y: number }> {
  const svg = page.locator('.canvas svg');
  await svg.scrollIntoViewIfNeeded();
  const box = await svg.boundingBox();
  if (box === null) throw new Error('there is no picture');
  return { x: box.x + box.width * x, y: box.y + box.height * y };
}

async function click(page: Page, at: At): Promise<void> {
  const { x, y } = await onPicture(page, at);
  await page.mouse.click(x, y);
}

async function touch(page: Page, session: CDPSession, way: readonly At[]): Promise<void> {
  const [first, ...rest] = await Promise.all(way.map((at) => onPicture(page, at)));
  const tell = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints });
  await tell('touchStart', first === undefined ? [] : [first]);
  for (const point of rest) await tell('touchMove', [point]);
  await tell('touchEnd', []);
}

const about = (points: unknown, wanted: readonly At[]): void => {
  const got = points as [number, number][];
  expect(got).toHaveLength(wanted.length);
  got.forEach(([x, y], i) => {
    expect(x).toBeCloseTo(wanted[i]?.[0] ?? 9, 1);
    expect(y).toBeCloseTo(wanted[i]?.[1] ?? 9, 1);
  });
};
const stored = (box: Box) => box.cameras.get('cam-1');
const fences = (box: Box) => stored(box).settings.fences as { id: string; top: unknown; base: unknown }[];

describe.runIf(canBrowse())('the room of a camera', PATIENCE, () => {
  afterAll(closeBrowser);

  test('a fence is drawn by mouse, in any order; a point is moved, undone, redone; it is saved and there again', async () => {
    const { box, page } = await room();
    await page.click('[data-add=fences]');
    for (const at of [
      [0.5, 0.25],
      [0.2, 0.3],
      [0.8, 0.3],
    ] as const)
      await click(page, at);
    await page.click('[data-do=finish]');
    for (const at of [
      [0.2, 0.7],
      [0.8, 0.7],
    ] as const)
      await click(page, at);
    await page.click('[data-do=finish]');
    const middle = page.locator('[data-point="top 1"]');
    const from = await onPicture(page, [0.5, 0.25]);
    const to = await onPicture(page, [0.5, 0.4]);
    const y = () => middle.locator('.dot').getAttribute('cy');
    const before = await y();
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(from.x + 3, from.y + 20);
    await page.mouse.move(to.x, to.y);
    await page.mouse.up();
    const after = await y();
    expect(after).not.toBe(before);
    // A drag is one step, however far it went.
    await page.click('[data-do=undo]');
    expect(await y()).toBe(before);
    await page.keyboard.press('Control+Shift+z');
    expect(await y()).toBe(after);
    await page.click('[data-do=save]');
    await page.waitForSelector('[data-source=page]');
    about(fences(box)[0]?.top, [
      [0.2, 0.3],
      [0.5, 0.4],
      [0.8, 0.3],
    ]);
    about(fences(box)[0]?.base, [
      [0.2, 0.7],
      [0.8, 0.7],
    ]);
    await page.reload();
    await page.waitForSelector('.shape.fences');
    expect(await page.textContent('.shapes ul')).toContain('围墙 1');
  });

  test('by touch on a phone: an area is drawn, a point is drawn out of its side, what encloses nothing is said', async () => {
    const { box, page } = await room({ width: 390, height: 844 });
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setTouchEmulationEnabled', { enabled: true });
    await page.click('[data-add=zones]');
    for (const at of [
      [0.2, 0.3],
      [0.8, 0.3],
      [0.5, 0.3],
    ] as const)
      await touch(page, session, [at]);
    await page.click('[data-do=finish]');
    expect(await page.textContent('.shapes ul')).toContain('没有围出面积');
    expect(await page.isDisabled('[data-do=save]')).toBe(true);
    await touch(page, session, [
      [0.5, 0.3],
      [0.5, 0.6],
      [0.5, 0.8],
    ]);
    await touch(page, session, [
      [0.65, 0.55],
      [0.7, 0.6],
      [0.8, 0.7],
    ]);
    await page.click('[data-do=save]');
    await page.waitForSelector('[data-source=page]');
    const [zone] = stored(box).settings.zones as { points: unknown }[];
    about(zone?.points, [
      [0.2, 0.3],
      [0.8, 0.3],
      [0.8, 0.7],
      [0.5, 0.8],
    ]);
  });

  test('by keyboard alone: a ready-made line, a point by number and by arrow, and a name that stays text', async () => {
    const { box, page } = await room(undefined, { name: EVIL });
    await page.focus('[data-add=lines]');
    await page.keyboard.press('Enter');
    await page.getByText('放一个现成的').press('Enter');
    await page.getByLabel('名称').fill(EVIL);
    await page.getByText('用数字输入坐标').press('Enter');
    await page.getByLabel('点 1 距左边 %').fill('12.5');
    await page.getByLabel('点 1 距左边 %').press('Tab');
    await page.focus('[data-point="points 1"]');
    await page.keyboard.press('Shift+ArrowDown');
    await page.focus('[data-do=save]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-source=page]');
    expect(stored(box).settings.lines).toMatchObject([
      {
        name: EVIL,
        points: [
          [0.125, 0.5],
          [0.8, 0.52],
        ],
      },
    ]);
    expect(await page.textContent('h1')).toBe(EVIL);
    expect(await page.textContent('.shape .label')).toContain('<img');
    expect(await page.locator('img[src=x]').count()).toBe(0);
  });

  test('somebody else was faster: nothing is overwritten, and theirs can be taken', async () => {
    const { box, page } = await room(undefined, {}, /409/);
    await page.click('[data-tab=analysis]');
    await page.fill('[data-field=fps]', '7');
    await page.locator('[data-field=fps]').blur();
    const { version, settings } = stored(box);
    await box.cameras.change('cam-1', { ...(settings as object), fps: 9 } as never, version, 'user:other');
    await page.click('[data-do=save]');
    await page.getByText('放弃我的改动').click();
    expect(await page.inputValue('[data-field=fps]')).toBe('9');
    expect(stored(box).settings.fps).toBe(9);
  });
});

describe.runIf(canBrowse())('the cameras beside one another', PATIENCE, () => {
  afterAll(closeBrowser);

  test('each says how it is; a stream plays; a click leads to its room', async () => {
    const { page } = await room();
    await page.click('.back');
    await page.waitForSelector('[data-tile=cam-1] [data-live=stream]');
    expect(await page.textContent('[data-tile=cam-1] footer')).toContain('每秒分析 5 帧');
    // How it is stands there whole, however narrow the tile is.
    await page.setViewportSize({ width: 320, height: 700 });
    const cut = await page
      .locator('[data-tile=cam-1] .state')
      .evaluate((one) => one.scrollWidth > one.clientWidth || getComputedStyle(one).whiteSpace === 'nowrap');
    expect(cut).toBe(false);
    await page.click('[data-layout="9"]');
    await page.click('[data-tile=cam-1] a[href="#/video/cam-1"]');
    await page.waitForSelector('img.still');
  });
});
