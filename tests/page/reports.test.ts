import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN, Box } from '../api/box.ts';
import { seedYears } from '../api/ledger-rows.ts';
import { Wire } from '../support/wire.ts';
import { canBrowse, closeBrowser, GONE, open, signIn, visit } from './browser.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Serious findings of axe-core, as `rule: where`. */
async function findings(page: Page): Promise<string[]> {
  // Through the debugger: the policy of the page runs no script that is written into it.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    interface Found {
      violations: { id: string; impact: string; nodes: { target: string[] }[] }[];
    }
    const { axe } = window as unknown as { axe: { run(): Promise<Found> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  });
}

async function enter(box: Box, size?: { width: number; height: number }): Promise<Page> {
  const { page } = await visit(box, size);
  await signIn(page, 'admin', ADMIN);
  await page.waitForSelector('[data-pill=live].good');
  return page;
}

describe.runIf(canBrowse())('the reports', () => {
  afterAll(closeBrowser);

  test('show figures, charts drawn under the policy of the page, and the same as tables', {
    timeout: 120_000,
  }, async () => {
    const box = await Box.start();
    await seedYears(box, 400, Date.now() - 1_000);
    const page = await enter(box);
    await page.goto(`${box.base}/#/reports?period=7d`);
    await page.waitForSelector('.charts canvas');
    await expect.poll(() => page.locator('.charts canvas').count()).toBe(4);
    expect(await page.textContent('[data-figure="reports.alarms"]')).toContain('400');
    expect(await page.textContent('[data-figure="reports.false_rate"]')).toContain('10%');
    // Something has been drawn.
    const colours = await page
      .locator('.charts canvas')
      .first()
      .evaluate((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement;
        const data = (canvas as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
        const seen = new Set<number>();
        for (let i = 0; i < data.length; i += 4)
          seen.add(((data[i] ?? 0) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0));
        return seen.size;
      });
    expect(colours).toBeGreaterThan(5);
    await page.hover('.charts canvas');
    // As it is read out: every figure, and a day without one is not "NaN".
    const spoken = await page.locator('.charts .ground').evaluateAll((all) => all.map((one) => one.ariaLabel));
    expect(spoken.every((text) => text?.includes('：'))).toBe(true);
    expect(spoken.join(' ')).not.toMatch(/NaN|null|undefined/);
    expect(spoken.join(' ')).toContain('—');

    const chart = page.locator('.chart').first();
    await chart.locator('.toggle').click();
    expect(await chart.locator('tbody tr').count()).toBe(7);
    const cells = await chart.locator('tbody td').allTextContents();
    expect(cells.reduce((sum, cell) => sum + Number(cell), 0)).toBe(400);

    await page.click('[data-choice="12m"]');
    await page.waitForSelector('[data-period="12m"]');
    await expect.poll(() => chart.locator('tbody tr').count()).toBe(12);
    await page.click('[data-choice="month"]');
    await page.waitForSelector('input[type=month]');
    expect(await findings(page)).toEqual([]);
  });

  test('figures that could not be read again after a lost connection stay; those of another period are no answer', async () => {
    const box = await Box.start();
    const wire = await Wire.to(box.port);
    const { page, close } = await open(wire.base, { expected: new RegExp(`${GONE.source}|ERR_FAILED`) });
    onTestFinished(close);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await page.goto(`${wire.base}/#/reports?period=7d`);
    await page.waitForSelector('.report');
    let refused = 0;
    await page.route('**/api/statistics**', (route) => {
      refused += 1;
      return route.abort();
    });
    wire.cut();
    wire.mend();
    await expect.poll(() => refused, { timeout: 15_000 }).toBeGreaterThanOrEqual(3);
    await page.waitForSelector('[data-pill=live].good');
    expect(await page.locator('.report').count()).toBe(1);
    await page.click('[data-choice="30d"]');
    await page.waitForSelector('.state-box.error');
    expect(await page.locator('.report').count()).toBe(0);
  });

  test('say what to do about a device that chatters, and lead to its ledger; on paper they are black on white', {
    timeout: 120_000,
  }, async () => {
    const box = await Box.start();
    for (let i = 0; i < 6; i += 1) await box.say('door-7', 'door.held', { kind: 'level', active: true }, '七号门');
    const page = await enter(box, { width: 390, height: 844 });
    await page.evaluate(() => localStorage.setItem('quanwei.theme', 'dark'));
    await page.goto(`${box.base}/#/reports?period=7d`);
    await page.reload();
    await page.waitForSelector('.lists li');
    const list = await page.textContent('.lists');
    expect(list).toContain('七号门：门未关');
    expect(list).toContain('检查闭门器');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    expect(await findings(page)).toEqual([]);

    const ground = () => page.evaluate(() => getComputedStyle(document.body).getPropertyValue('--panel').trim());
    expect(await ground()).toBe('#1b2129');
    await page.emulateMedia({ media: 'print' });
    await expect.poll(ground).toBe('#fff');
    expect(await page.locator('.tabs').isVisible()).toBe(false);
    expect(await page.locator('.sheet .title').first().isVisible()).toBe(true);
    await page.emulateMedia({ media: 'screen' });
    await expect.poll(ground).toBe('#1b2129');

    await page.locator('.lists a').first().click();
    await page.waitForFunction(() => location.hash.includes('device=door-7'));
    await page.waitForSelector('[data-id]');
    expect(await findings(page)).toEqual([]);
  });
});
