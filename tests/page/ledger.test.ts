import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, Box, PASSWORD } from '../api/box.ts';
import { seedYears } from '../api/ledger-rows.ts';
import { Wire } from '../support/wire.ts';
import { canBrowse, closeBrowser, enter, GONE, signIn, visit } from './browser.ts';

const EVIL = '<img src=x onerror=alert(1)>';
const guard = { actor: 'user:li', role: 'operator' } as const;

describe.runIf(canBrowse())('the ledger', () => {
  afterAll(closeBrowser);

  test('finds by what is asked, keeps the question in the address, and leads to the alarm', {
    timeout: 120_000,
  }, async () => {
    const box = await Box.start();
    await seedYears(box, 200, Date.now() - 3_600_000);
    const smoke = await box.say('8800000000000000001', 'fire.smoke', {}, EVIL);
    await box.board.transact((tx) => tx.act({ alarm: smoke.id, type: 'handle', result: '住户炒菜，已开窗' }, guard));
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');

    await page.goto(`${box.base}/#/ledger`);
    await page.waitForSelector('table [data-id]');
    expect(await page.textContent('[data-total]')).toBe('共 201 条');
    expect(await page.locator('tbody tr').count()).toBe(50);
    await page.click('[data-more]');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 100);

    await page.fill('#ledger-text', '炒菜');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
    const row = await page.textContent('tbody tr');
    expect(row).toContain(EVIL);
    expect(row).toContain('处置 li');
    expect(await page.locator('img[src=x]').count()).toBe(0);

    await page.selectOption('#ledger-category', 'fire.*');
    await page.click('[data-choice="30d"]');
    await page.waitForFunction(() => location.hash.includes('range=30d') && location.hash.includes('category=fire'));
    // Somebody opens the bookmark.
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
    expect(await page.inputValue('#ledger-text')).toBe('炒菜');
    await page.click('tbody tr .result');
    await page.waitForFunction((id) => location.hash === `#/alarms/${id}`, smoke.id);
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  });

  test('on a phone the questions stay in their box, in the language of longer words too; days in the wrong order are told', async () => {
    const box = await Box.start();
    const page = await enter(await box.signIn(), { size: { width: 390, height: 844 }, language: 'en' });
    await page.goto(`${box.base}/#/ledger?range=custom&from=2026-11-20&to=2026-11-10`);
    await page.waitForSelector('.filters .problem:has-text("has to end after it begins")');
    const right = await page.evaluate<number[]>(
      `[...document.querySelectorAll('.filters, .filters button, .filters input, .filters select')].map((one) => one.getBoundingClientRect().right)`,
    );
    expect(Math.max(...right.slice(1))).toBeLessThanOrEqual((right[0] ?? 0) - 8);
  });

  test('is saved as a file of what was found; a viewer is not offered it', { timeout: 120_000 }, async () => {
    const box = await Box.start();
    await seedYears(box, 60, Date.now() - 3_600_000);
    await box.person('viewer');
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await page.goto(`${box.base}/#/ledger?range=all&level=1`);
    await page.waitForSelector('table [data-id]');
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('[data-export=csv]')]);
    expect(file.suggestedFilename()).toMatch(/^泉水花园-警情台账-.*\.csv$/);
    const lines = readFileSync(await file.path(), 'utf8').split('\r\n');
    expect(lines).toHaveLength(1 + (await page.locator('tbody tr').count()) + 1);
    expect(box.journal.read({ kinds: ['ledger.exported'], limit: 9 })).toMatchObject([
      { actor: 'user:admin', body: { search: { level: ['1'] } } },
    ]);

    const { page: other } = await visit(box, { width: 390, height: 844 });
    await signIn(other, 'viewer', PASSWORD);
    await other.waitForSelector('[data-pill=live].good');
    await other.goto(`${box.base}/#/ledger?range=all`);
    await other.waitForSelector('[data-id]');
    expect(await other.locator('[data-export]').count()).toBe(0);
    // Cards, and nothing wider than the phone.
    expect(await other.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await other.goto(`${box.base}/#/ledger?text=nothing-like-this`);
    await other.waitForSelector('.state-box.empty');
  });

  test('when the connection was lost, what came meanwhile is found by itself, and the place in the list stays', {
    timeout: 120_000,
  }, async () => {
    const box = await Box.start();
    await seedYears(box, 200, Date.now() - 3_600_000);
    const wire = await Wire.to(box.port);
    const { page } = await visit(wire, undefined, GONE);
    await page.clock.install();
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await page.goto(`${wire.base}/#/ledger`);
    await page.waitForSelector('table [data-id]');
    await page.click('[data-more]');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 100);
    const seventieth = page.locator('tbody tr >> nth=69');
    const id = await seventieth.getAttribute('data-id');
    await seventieth.scrollIntoViewIfNeeded();
    const place = () =>
      page.evaluate((of) => document.querySelector(`[data-id="${of}"]`)?.getBoundingClientRect().top, id);
    const before = await place();

    wire.cut();
    const missed = await box.say('8800000000000000001', 'fire.smoke', {}, '断网时发生');
    await page.clock.fastForward(10 * 60_000);
    await page.waitForSelector('[data-banner=lost]');
    wire.mend();
    await page.waitForSelector(`tbody tr:first-child[data-id="${missed.id}"]`, { state: 'attached' });
    expect(await page.textContent('[data-total]')).toBe('共 201 条');
    expect(await page.locator('tbody tr').count()).toBe(100);
    // The banner of what was missed has its place, too.
    await expect.poll(async () => Math.abs(((await place()) ?? 0) - (before ?? 0))).toBeLessThan(60);
  });
});
