import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, Box } from '../api/box.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';

describe.runIf(canBrowse())('the first start', () => {
  afterAll(closeBrowser);

  test('leads the administrator through it, keeps what is set, and does not come again', async () => {
    const box = await Box.start();
    await (await box.signIn()).ask('PUT', '/api/first-run', { state: 'due' });
    const { page } = await visit(box, { width: 390, height: 844 });
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-step=password]');
    await page.click('[data-next]');
    await page.fill('[data-field=name] input', '泉水花园二期');
    await page.click('[data-section=site] button[type=submit]');
    await page.waitForSelector('[data-section=site] [data-pending]');
    await page.click('[data-next]');
    const registered = async () =>
      /已登记 (\d+) 台设备/.exec((await page.textContent('[data-step=device]')) ?? '')?.[1];
    await expect.poll(registered).toBe('0');
    // Somebody else adds one meanwhile.
    await box.registry.register({ id: 'lock-1', profile: 'esphome-lock', name: '车库门', place: '' }, 'system');
    await expect.poll(registered, { timeout: 10_000 }).toBe('1');
    await page.click('[data-next]');
    await page.click('[data-add-centre]');
    await page.fill('[data-field=url] input', 'mqtt://127.0.0.1:1');
    await page.click('[data-test]');
    expect(await page.textContent('[data-tested]')).toContain('连接失败');
    await page.click('[data-next]');
    await page.click('[data-sound]');
    await page.waitForSelector('[data-pill=sound].good');
    await page.click('[data-next]');
    await page.click('[data-finish]');
    await page.waitForURL(/#\/$/);
    await page.reload();
    await page.waitForSelector('[data-pill=live].good');
    expect(await page.locator('[data-banner=first-run]').count()).toBe(0);
    expect(new URL(page.url()).hash).toBe('#/');
  }, 60_000);

  test('later leaves a line that reminds, for administrators alone', async () => {
    const box = await Box.start();
    await (await box.signIn()).ask('PUT', '/api/first-run', { state: 'later' });
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-banner=first-run]');
    await page.click('[data-banner=first-run] button');
    await page.waitForSelector('[data-banner=first-run]', { state: 'detached' });
    expect((await (await box.signIn()).get('/api/first-run')).body).toMatchObject({ state: 'dismissed' });
  });
});
