import type { Page } from 'playwright-core';

/** A point of a camera's picture, each 0–1 of its width and height. */
export type At = readonly [x: number, y: number];

/** Where on the screen a point of the picture is that can be drawn on, px. */
export async function onPicture(page: Page, [x, y]: At): Promise<{ x: number; y: number }> {
  const svg = page.locator('.canvas svg');
  await svg.scrollIntoViewIfNeeded();
  const box = await svg.boundingBox();
  if (box === null) throw new Error('there is no picture');
  return { x: box.x + box.width * x, y: box.y + box.height * y };
}

export async function clickOn(page: Page, ...points: readonly At[]): Promise<void> {
  for (const point of points) {
    const { x, y } = await onPicture(page, point);
    await page.mouse.click(x, y);
  }
}
