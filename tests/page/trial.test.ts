import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alarmed, site } from '../api/trials.ts';
import { canCompose } from '../support/footage.ts';
import { model } from '../support/vision-material.ts';
import { canBrowse, closeBrowser, enter, type Manner } from './browser.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A browser, a server, models and a film on a busy machine. */
const PATIENCE = { timeout: 180_000 };
const possible = canBrowse() && (await canCompose());

beforeAll(async () => {
  for (const id of ['nanodet', 'movenet-lightning']) await model(id);
}, 600_000);

/** A manager at the camera's room, with the clip of a false alarm. */
async function room(manner: Manner = {}) {
  const shown = await site();
  const alarm = await alarmed(shown.box);
  const admin = await shown.box.signIn();
  await admin.post(`/api/alarms/${alarm}/false`, { reason: '工人修墙' });
  const page = await enter(admin, manner);
  await page.goto(`${shown.box.base}/#/video/cam-1`);
  await page.click('[data-tab=trial]');
  return { ...shown, page };
}

/** What axe finds that shuts somebody out. */
async function grave(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<{ violations: { id: string; impact: string }[] }>('axe.run()');
  return violations.filter(({ impact }) => /serious|critical/.test(impact)).map(({ id }) => id);
}

async function picture(page: Page, name: string): Promise<void> {
  const to = process.env['QUANWEI_SCREENSHOTS'];
  if (to === undefined) return;
  mkdirSync(to, { recursive: true });
  await page.screenshot({ path: join(to, `${name}.png`), fullPage: true });
}

describe.runIf(possible)('settings tried on footage', PATIENCE, () => {
  afterAll(closeBrowser);

  test('the clip of a false alarm: what would be raised, each with its picture; what is changed then is said to be untried', async () => {
    const { page, box } = await room();
    expect(await page.textContent('.clip')).toContain('误报');
    expect(await page.isDisabled('[data-do=try]')).toBe(true);
    await page.check('[data-clip]');
    await page.check('.check input');
    // All of it can be looked at before it is tried.
    await expect.poll(() => page.getAttribute('input[type=range]', 'max').then(Number)).toBeGreaterThan(1);
    await picture(page, 'chosen');
    await page.click('[data-do=try]');
    await page.waitForSelector('[data-trial] progress');
    await picture(page, 'running');
    await page.waitForSelector('[data-outcome]', { timeout: 120_000 });
    const said = await page.textContent('[data-outcome]');
    expect(said).toContain('这段录像里会报警 1 次、预警 1 次');
    expect(said).toContain('这次误报还会发生');
    await page.click('[data-event=cross]');
    await page.waitForSelector('.canvas img.film');
    expect(await page.locator('.person rect').count()).toBe(1);
    const when = /[\d.]+/.exec((await page.textContent('[data-event=cross] .when')) ?? '')?.[0];
    expect(await page.inputValue('input[type=range]')).toBe(String(Number(when)));
    await picture(page, 'found');
    expect(await grave(page)).toEqual([]);
    await page.click('[data-tab=shapes]');
    await page.click('.shapes .head');
    await page.getByLabel('名称').fill('东墙');
    await page.getByLabel('名称').blur();
    expect(await page.textContent('[data-outcome]')).toContain('之后又改过');
    await page.click('[data-do=leave]');
    await page.waitForSelector('img.still');
    expect(box.cameras.get('cam-1').source).toBe('file');
  });

  test('two clicks are one try; one that is stopped or let go of is over at the box, and the next is the one that is shown', async () => {
    const { page, served } = await room({ expected: /503/ });
    const begun: string[] = [];
    const tries = () => expect.poll(() => begun.length);
    page.on('response', async (answer) => {
      if (answer.request().method() !== 'POST' || !answer.url().endsWith('/trials')) return;
      begun.push(answer.ok() ? ((await answer.json()) as { id: string }).id : String(answer.status()));
    });
    await page.check('[data-clip]');
    await page.check('.check input');
    await page.dblclick('[data-do=try]');
    await page.click('[data-do=stop][aria-disabled=false]');
    await page.locator('[data-outcome]').getByText('已停止').waitFor();
    expect(await page.evaluate('document.activeElement.dataset.do')).toBe('try');
    await tries().toBe(1);
    expect(served.trials.view(begun[0] as string).state).toBe('cancelled');

    // Let go of before the box has answered.
    let answered = (): void => undefined;
    const held = new Promise<void>((resolve) => (answered = resolve));
    await page.route(
      '**/trials',
      async (route) => {
        await held;
        await route.continue();
      },
      { times: 1 },
    );
    await page.click('[data-do=try]');
    await page.waitForSelector('[data-do=stop][aria-disabled=true]');
    await page.click('[data-do=leave]');
    await page.waitForSelector('img.still');
    answered();
    await page.waitForSelector('[data-do=try]');
    await tries().toBe(2);
    expect(served.trials.view(begun[1] as string).state).toBe('cancelled');
    expect(await page.locator('[data-trial]').count()).toBe(0);

    // A look that fails is no end.
    await page.check('[data-clip]');
    await page.route(/trials\/[^/]+$/, (route) => route.fulfill({ status: 503, body: 'null' }), { times: 1 });
    await page.click('[data-do=try]');
    await page.locator('[data-outcome]').getByText('报警 1 次、预警 1 次').waitFor({ timeout: 120_000 });
    await tries().toBe(3);
    expect(await page.locator('[data-trial] .problem').count()).toBe(0);
  });

  test('on a phone, in English, at night: a file that is no video is said to be none, an empty one is not sent; then the clip', async () => {
    const { page } = await room({ size: { width: 390, height: 844 }, language: 'en', theme: 'dark' });
    const give = (name: string, text: string) =>
      page.setInputFiles('input[type=file]', { name, mimeType: 'video/mp4', buffer: Buffer.from(text) });
    await give('empty.mp4', '');
    await page.waitForSelector('.try .problem');
    expect(await page.textContent('.try .problem')).toContain('The file is empty');
    await give('letter.mp4', 'this is a letter');
    await page.waitForSelector('.own');
    await page.click('[data-do=try]');
    await page.waitForSelector('[data-outcome]', { timeout: 120_000 });
    expect(await page.textContent('[data-outcome]')).toContain('This file is no video that can be played');
    await page.check('[data-clip]');
    await page.check('.check input');
    await page.click('[data-do=try]');
    await page
      .locator('[data-outcome]')
      .getByText('In this footage – alarms: 1, warnings: 1')
      .waitFor({ timeout: 120_000 });
    await page.click('[data-event=cross]');
    await page.waitForSelector('.canvas img.film');
    expect(await page.innerText('main')).not.toMatch(/报警|预警|录像/);
    expect(await grave(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await picture(page, 'phone');
  });
});
