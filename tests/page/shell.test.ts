import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, Box, PASSWORD } from '../api/box.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';

const EVIL = '<img src=x onerror=alert(1)>';

describe.runIf(canBrowse())('the shell', () => {
  afterAll(closeBrowser);

  test("a wrong password is said in the reader's language, and that nobody is watching meanwhile", async () => {
    const box = await Box.start();
    const { page } = await visit(box, undefined, /401/);
    expect(await page.textContent('form.card')).toContain('未登录');
    await signIn(page, 'admin', 'wrong-password');
    await page.waitForSelector('form.card .problem:not(:empty)');
    expect(await page.textContent('form.card .problem')).toBe('用户名或密码错误');
  });

  test('a new person chooses a password first', async () => {
    const box = await Box.start();
    const { password } = await box.accounts.create({ name: '李队', display: '李队', role: 'operator' }, 'system');
    const { page } = await visit(box);
    await signIn(page, '李队', password);
    await page.fill('#current', password);
    await page.fill('#next', PASSWORD);
    await page.fill('#again', `${PASSWORD}x`);
    await page.click('form.card button[type=submit]');
    await page.waitForSelector('.problem:not(:empty)');
    await page.fill('#again', PASSWORD);
    await page.click('form.card button[type=submit]');
    await page.waitForSelector('[data-pill=live].good');
  });

  test('who mistypes the old password when changing it is told so, and goes on watching', async () => {
    const box = await Box.start();
    const { page } = await visit(box, undefined, /401/);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await page.click('.menu summary');
    await page.click('.menu .items button:has-text("修改密码")');
    await page.fill('#ask-current', 'not-the-password');
    await page.fill('#ask-next', PASSWORD);
    await page.fill('#ask-again', PASSWORD);
    await page.click('dialog.ask button[type=submit]');
    await page.waitForSelector('dialog.ask .problem:not(:empty)');
    expect(await page.textContent('dialog.ask .problem')).toBe('用户名或密码错误');
    expect(await page.locator('form.card').count()).toBe(0);
    expect(await page.locator('[data-pill=live].good').count()).toBe(1);
  });

  test('the menu closes when somebody points elsewhere, presses Escape, or goes elsewhere', async () => {
    const box = await Box.start();
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    const ways = [
      () => page.mouse.click(700, 600),
      () => page.keyboard.press('Escape'),
      () => page.evaluate("location.hash = '#/ledger'"),
    ];
    for (const away of ways) {
      await page.click('.menu summary');
      await page.waitForSelector('.menu[open]');
      await away();
      await page.waitForSelector('.menu:not([open])');
    }
  });

  test('an alarm appears by itself; what a device calls itself stays text', async () => {
    const box = await Box.start();
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await box.say('evil-1', 'fire.smoke', { kind: 'level' }, EVIL);
    await page.waitForSelector('[data-id]');
    expect(await page.locator('[data-id]').textContent()).toContain(EVIL);
    expect(await page.locator('img[src=x]').count()).toBe(0);
  });
});
