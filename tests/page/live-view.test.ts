import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN, Box } from '../api/box.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';
import { film, vision } from './vision.ts';

const at = async (address: string, expected?: RegExp) => {
  const parts = await vision(address);
  const box = await Box.start(parts);
  const alarm = await box.say('cam-1', 'intrusion.climb', {}, '东墙摄像机', 'camera');
  const { page } = await visit(box, undefined, expected);
  await signIn(page, 'admin', ADMIN);
  await page.waitForSelector('[data-pill=live].good');
  await page.goto(`${box.base}/#/alarms/${alarm.id}`);
  await page.click('text=查看实时画面');
  return { ...parts, box, page };
};

describe.runIf(canBrowse())('a live view', () => {
  afterAll(closeBrowser);

  test("plays the camera's stream and lets go of it when it is closed", async () => {
    const { page, live } = await at(film());
    await page.waitForSelector('[data-live=stream]');
    const time = () => page.locator('.live-view video').evaluate((video) => Number(Reflect.get(video, 'currentTime')));
    const before = await time();
    await expect.poll(time).toBeGreaterThan(before);
    await page.click('text=关闭实时画面');
    await expect.poll(() => live.viewers).toBe(0);
  });

  test('shows one picture after the other where the browser cannot play the stream', async () => {
    const { page, picture } = await at(film('mpeg4'), /503/);
    // A browser shows a picture when the next one begins.
    const camera = setInterval(() => picture.put({ width: 1, height: 1, data: new Uint8Array(3) }, Date.now()), 100);
    onTestFinished(() => clearInterval(camera));
    await page.waitForSelector('[data-live=pictures]');
    expect(await page.locator('.live-view img').evaluate((image) => Reflect.get(image, 'naturalWidth'))).toBe(640);
    expect(await page.textContent('.live-view .word')).toContain('浏览器不能播放');
  });

  test('says why there is no picture', async () => {
    const { page } = await at('/nowhere/film.mp4', /503|WebSocket/);
    await page.waitForSelector('[data-live=none]');
    expect(await page.textContent('.live-view .word')).toContain('录像文件不存在');
  });
});
