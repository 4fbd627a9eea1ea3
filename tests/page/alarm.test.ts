import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, Box, PASSWORD } from '../api/box.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';
import { film, jpeg, vision } from './vision.ts';

const EVIL = '<img src=x onerror=alert(1)>';
const LONG = '泉水花园北区地下二层机动车停车库东侧消防通道入口处的烟雾探测器'.repeat(3);

async function open(
  box: Box,
  id: string,
  { name = 'admin', password = ADMIN, size = undefined as never, expected = /(?!)/ } = {},
) {
  const { page } = await visit(box, size, expected);
  await signIn(page, name, password);
  await page.waitForSelector('[data-pill=live].good');
  await page.goto(`${box.base}/#/alarms/${id}`);
  return page;
}
const text = (page: Page): Promise<string> => page.locator('.case').innerText();

/** An alarm with a picture with boxes, the same without, and one that is gone. */
async function pictured() {
  const { data, settings, parts } = await vision(film());
  mkdirSync(join(data, 'media/2026/06/01'), { recursive: true });
  const bytes = jpeg();
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const refs = ['boxes', 'plain'].map((what) => `media/2026/06/01/1-${what}.jpg`);
  for (const ref of refs) writeFileSync(join(data, ref), bytes);
  const box = await Box.start({ settings, parts });
  const evidence = [...refs, 'media/2026/06/01/2-boxes.jpg'].map((ref) => ({
    kind: 'picture' as const,
    ref,
    sha256,
  }));
  const alarm = await box.say('cam-1', 'intrusion.climb', { evidence }, '东墙摄像机', 'camera');
  return { box, alarm, sha256 };
}

describe.runIf(canBrowse())('the page of one alarm', () => {
  afterAll(closeBrowser);

  test('tells what happened in plain words and follows what others do, without being loaded again', async () => {
    const box = await Box.start();
    const alarm = await box.say('smoke-1', 'fire.smoke', { kind: 'level', deviceTime: Date.now() - 65_000 }, EVIL);
    const page = await open(box, alarm.id);
    await page.waitForSelector('.steps li');
    expect(await text(page)).toContain(EVIL);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    expect(await page.locator('.steps .clocks').first().innerText()).toMatch(/设备时间 .*相差 1:05/);
    const other = await box.person('operator', '李队');
    await other.post(`/api/alarms/${alarm.id}/dispatch`, { to: '王师傅', note: '带灭火器' });
    await page.waitForSelector('[data-handling=dispatched]');
    await page.locator('.case').getByText('派给：王师傅').waitFor();
    expect(await text(page)).toContain('李队（值班员）');
    expect(await text(page)).toContain('备注：带灭火器');
    await page.click('[data-deed=note]');
    await page.fill('#ask-note', EVIL);
    await page.click('dialog button[type=submit]');
    await page.locator('.case').getByText(`备注：${EVIL}`).waitFor();
    await other.post(`/api/alarms/${alarm.id}/false`, { reason: '做饭的油烟' });
    await page.locator('.case').getByText('已结束').waitFor();
    expect(
      await page.locator('[data-deed]').evaluateAll((all) => all.map((one) => one.getAttribute('data-deed'))),
    ).toEqual(['note']);
  });

  test('shows the pictures with and without boxes, their fingerprint and a copy to take', async () => {
    const { box, alarm, sha256 } = await pictured();
    const page = await open(box, alarm.id, { expected: /404/ });
    const src = () => page.locator('.piece img').first().getAttribute('src');
    await expect.poll(src).toContain('1-boxes.jpg');
    await page.click('text=原图');
    expect(await src()).toContain('1-plain.jpg');
    await page.getByText('图片已过保存期').waitFor();
    await page.locator('.piece summary').first().click();
    expect(await page.locator('.piece code').first().innerText()).toBe(sha256);
    const download = page.waitForEvent('download');
    await page.locator('.piece .copy').first().click();
    expect((await download).suggestedFilename()).toBe('1-plain.jpg');
  });

  test('is printed as a document with its pictures; a viewer is told that there are some and prints none', async () => {
    const { box, alarm } = await pictured();
    const page = await open(box, alarm.id, { expected: /404/ });
    await page.waitForSelector('.steps li');
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.sheet').innerText()).toContain('警情处置单');
    expect((await page.locator('.sheet').innerText()).split(alarm.id)).toHaveLength(2);
    expect(await page.locator('.sheet img').count()).toBe(2);
    expect(await page.locator('.case').isVisible()).toBe(false);
    await box.person('viewer', '小陈');
    const viewer = await open(box, alarm.id, { name: '小陈', password: PASSWORD });
    await viewer.getByText('值班员以上可以查看').waitFor();
    expect(await viewer.locator('.case img, .sheet img, [data-deed]').count()).toBe(0);
  });

  test('is not printed before all of it has been read; what cannot be read is said to be missing', async () => {
    const box = await Box.start();
    const { id } = await box.say('door-1', 'door.forced');
    const page = await open(box, id, { expected: /503/ });
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    await page.route('**/related', async (route) => {
      await held;
      // The first of them is not waited for any more.
      await route.continue().catch(() => undefined);
    });
    await page.route('**/upstream', (route) => route.fulfill({ status: 503, body: 'null' }));
    await page.reload();
    await page.waitForSelector('.steps li');
    await page.evaluate("window.print = () => { window.printed = document.querySelector('.sheet').textContent; }");
    await page.getByText('打印处置单').click();
    letGo();
    const seen = () => page.evaluate<string>("window.printed ?? ''");
    await expect.poll(seen, { timeout: 10_000 }).not.toBe('');
    const printed = await seen();
    expect(printed).toContain('上报与回执打印时未能读取');
    expect(printed).not.toContain('联动');
  });

  test('what the cameras say of a climb is told in the words of whoever reads it', async () => {
    const box = await Box.start();
    const detail = { stage: 'warn', rule: 'first-seen', direction: 'out', zone: 'wall' };
    const { id } = await box.say('cam-1', 'intrusion.climb', { detail });
    const page = await open(box, id);
    const told = async () => (await page.locator('.case').allTextContents()).join(' ');
    await expect.poll(told).toContain('出现时已在墙上');
    expect(await told()).toMatch(/预警.*由内向外|由内向外.*预警/s);
    expect(await told()).not.toMatch(/warn|first-seen/);
    // The name of a fence is its own.
    expect(await told()).toContain('wall');
  });

  test('who is told when nobody acknowledges is named in the words of whoever reads it', async () => {
    const soon = { acknowledge: '1s', close: '2h' };
    const box = await Box.start({ settings: { alarms: { levels: { 1: soon, 2: soon, 3: soon, 4: soon } } } });
    const { id } = await box.say('button-1', 'sos');
    const escalated = async () => {
      await box.board.elapse();
      return box.board.get(id)?.escalations;
    };
    await expect.poll(escalated, { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
    const page = await open(box, id);
    await page.waitForSelector('.steps li');
    const told = (await page.locator('.case').allTextContents()).join(' ');
    expect(told).toContain('升级至：主管');
    expect(told).toContain('升级至：指挥中心');
    expect(told).not.toContain('centre');
  });

  test('a number that is none is said to be none; long names fit a phone', async () => {
    const box = await Box.start();
    const alarm = await box.say('1234567890123456789', 'fire.smoke', { kind: 'level', detail: { text: LONG } }, LONG);
    const phone = { width: 390, height: 844 } as never;
    const page = await open(box, alarm.id, { size: phone, expected: /404|400/ });
    await page.waitForSelector('.steps li');
    const wide = await page.evaluate('document.documentElement.scrollWidth');
    expect(wide).toBeLessThanOrEqual(390);
    await page.goto(`${box.base}/#/alarms/${box.newId()}`);
    await page.getByText('没有这条警情').waitFor();
    await page.goto(`${box.base}/#/alarms/nonsense`);
    await page.getByText('没有这条警情').waitFor();
  });
});
