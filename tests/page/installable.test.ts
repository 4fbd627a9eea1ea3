import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN, Box } from '../api/box.ts';
import { canBrowse, closeBrowser, GONE, open, signIn } from './browser.ts';

describe.runIf(canBrowse())('the page as an application', () => {
  afterAll(closeBrowser);

  test('opens while the gateway is away, says so and shows no alarm of before; it goes on when the gateway is back', async () => {
    const box = await Box.start();
    const { page, close } = await open(box.base, { keeps: true, expected: GONE });
    onTestFinished(close);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await box.say('smoke-1', 'fire.smoke', { kind: 'level' }, '三楼烟感');
    await page.waitForSelector('[data-id]');
    await expect
      .poll(() => page.evaluate('navigator.serviceWorker.controller !== null'), { timeout: 15_000 })
      .toBe(true);
    // One visit is enough.
    await expect.poll(() => page.evaluate("caches.match('/').then((kept) => kept !== undefined)")).toBe(true);
    await expect
      .poll(() =>
        page.evaluate(
          'caches.keys().then(([key]) => caches.open(key)).then((kept) => kept.keys()).then((all) => all.length)',
        ),
      )
      .toBeGreaterThan(5);
    await box.stop();
    await page.reload();
    await page.waitForSelector('.state-box.error');
    expect(await page.textContent('.state-box')).toContain('无法连接网关');
    expect(await page.locator('[data-id]').count()).toBe(0);
    await Box.start({ dir: box.dir, port: box.port });
    await page.waitForSelector('[data-id]');
    expect(await page.textContent('[data-id]')).toContain('三楼烟感');
  });

  test('can be put on a phone: its manifest names it and an icon that is there', async () => {
    const box = await Box.start();
    const manifest = (await (await fetch(`${box.base}/manifest.webmanifest`)).json()) as {
      name: string;
      icons: { src: string }[];
    };
    expect(manifest.name).toContain('泉卫');
    for (const { src } of manifest.icons) expect((await fetch(`${box.base}${src}`)).status).toBe(200);
  });
});
