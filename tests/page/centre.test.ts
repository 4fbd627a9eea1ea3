import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, Box, PASSWORD } from '../api/box.ts';
import { reportingTo } from '../api/upstream.ts';
import { Centre, Reader } from '../upstream/centre.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';

async function open(box: Box, name = 'admin', password = ADMIN) {
  const { page } = await visit(box);
  await signIn(page, name, password);
  await page.waitForSelector('[data-pill=live].good');
  await page.goto(`${box.base}/#/centre`);
  return page;
}

describe.runIf(canBrowse())('the view of the command centre', () => {
  afterAll(closeBrowser);

  test('says when no centre is configured', async () => {
    const page = await open(await Box.start());
    await page.getByText('未配置上级平台').waitFor();
  });

  test('a centre that is away, then there: backlog, what to do, receipts, an order and its answer, all by itself', async () => {
    // The reader has been there before: what comes while it is not is kept for it.
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    await centre.stop();
    const box = await Box.start(reportingTo(centre));
    const alarm = await box.say('button-9', 'fire.button');
    const page = await open(box);
    await page.waitForSelector('[data-link=down]');
    const link = await page.locator('[data-link]').innerText();
    expect(link).toContain('确认地址和端口');
    expect(link).toContain(centre.url);
    expect(await page.locator('[data-waiting]').innerText()).toBe('共 1 条等待上报');
    await centre.start();
    await page.waitForSelector('[data-link=up]');
    await expect.poll(() => reader.events().length, { timeout: 10_000 }).toBe(1);
    const ids = [reader.events()[0]?.event.id];
    await reader.publish('quanwei/v1/longquan/spring-garden/receipt', JSON.stringify({ ids, result: 'accepted' }));
    await page.waitForSelector('[data-receipt]');
    expect(await page.locator('[data-receipt] a').getAttribute('href')).toBe(`#/alarms/${alarm.id}`);
    const now = Date.now();
    const order = {
      ...{ id: 'order-1', by: '张指挥', type: 'ping' },
      issuedAt: new Date(now).toISOString(),
      expiresAt: new Date(now + 60_000).toISOString(),
    };
    await reader.publish('quanwei/v1/longquan/spring-garden/order', JSON.stringify(order));
    await page.waitForSelector('[data-order=order-1] .good');
    expect(await page.locator('[data-order=order-1]').innerText()).toContain('下达：张指挥');
  });

  test('who only looks sees the link, and that orders are not theirs', async () => {
    const centre = await Centre.prepare();
    const box = await Box.start(reportingTo(centre));
    await box.person('viewer', '小陈');
    const page = await open(box, '小陈', PASSWORD);
    await page.waitForSelector('[data-link=down]');
    await page.getByText('指令仅值班员以上可见').waitFor();
  });
});
