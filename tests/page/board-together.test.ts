import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, Box, PASSWORD } from '../api/box.ts';
import { Wire } from '../support/wire.ts';
import { canBrowse, closeBrowser, GONE, signIn, visit } from './browser.ts';

async function guard(box: Box, name: string, expected?: RegExp): Promise<Page> {
  if (name !== 'admin') await box.person('operator', name);
  const { page } = await visit(box, undefined, expected);
  await signIn(page, name, name === 'admin' ? ADMIN : PASSWORD);
  await page.waitForSelector('[data-pill=live].good');
  return page;
}
/** The alarm that has the focus. */
const focused = (page: Page) =>
  page.evaluate('document.activeElement?.closest("[data-id]")?.dataset.id ?? null') as Promise<string | null>;

/**
 * A hand that moves at this place until the page has heard of a second alarm, rests, and presses as soon as another line
 * lies there than this one: nobody has seen it move yet. `stoodFor`: ms for which the line stayed under the hand.
 */
const handAt = (id: string, x: number, y: number) => `
  let heard = null;
  const look = () => {
    const there = document.elementFromPoint(${x}, ${y});
    const over = there?.closest('[data-id]')?.dataset.id ?? '${id}';
    const as = (type, more) =>
      there.dispatchEvent(new PointerEvent(type, { bubbles: true, cancelable: true, pointerType: 'mouse', ...more }));
    if (over === '${id}') {
      if (document.title.includes('(2)')) heard ??= performance.now();
      else as('pointermove');
      return requestAnimationFrame(look);
    }
    window.stoodFor = performance.now() - heard;
    as('pointerdown');
    as('pointerup');
    as('click', { detail: 1 });
  };
  look();
`;

describe.runIf(canBrowse())('several people and one board', () => {
  afterAll(closeBrowser);

  test('three browsers act on the same alarm at once: one is first, the others see who it was and what is so now', async () => {
    const box = await Box.start();
    const alarm = await box.say('cam-1', 'intrusion.climb');
    const names = ['wang', 'li', 'zhao'];
    const pages: Page[] = [];
    for (const name of names) pages.push(await guard(box, name, /409/));
    for (const page of pages) await page.click(`[data-id="${alarm.id}"] [data-control=more]`);
    for (const [i, page] of pages.entries()) {
      await page.click('.deed-menu [data-deed=false]');
      await page.fill('#ask-reason', `是猫，${names[i]}`);
    }
    await Promise.all(pages.map((page) => page.click('dialog button.main')));
    for (const page of pages) await page.waitForSelector('.quiet');
    const closed = box.board.get(alarm.id);
    expect(closed?.handling).toBe('false');
    const first = names.indexOf(closed?.closedBy ?? '');
    for (const [i, page] of pages.entries()) {
      if (i === first) expect(await page.locator('.toast.bad').count()).toBe(0);
      else expect(await page.textContent('.toast.bad')).toContain(`已被他人处理，画面已更新：误报 · ${names[first]}`);
    }
    const ledger = box.journal.read({ subject: alarm.id, limit: 50, kinds: ['alarm.acknowledged', 'alarm.false'] });
    expect(ledger.map(({ kind, actor }) => `${kind} ${actor}`)).toEqual([
      `alarm.acknowledged user:${names[first]}`,
      `alarm.false user:${names[first]}`,
    ]);
    expect(JSON.stringify(ledger[1]?.body)).toContain(`是猫，${names[first]}`);
  }, 60_000);

  test('who was slower is told, and the line says what was done', async () => {
    const box = await Box.start();
    const alarm = await box.say('cam-1', 'intrusion.climb');
    const other = await box.person('operator', 'wang');
    const page = await guard(box, 'admin', /409/);
    await page.click('article.alarm [data-control=more]');
    await page.click('.deed-menu [data-deed=false]');
    await page.fill('#ask-reason', '是猫');
    await other.post(`/api/alarms/${alarm.id}/accept`, {});
    await page.waitForSelector('[data-section=hand] article.alarm');
    await page.click('dialog button.main');
    await page.waitForSelector('.toast.bad');
    expect(await page.textContent('.toast.bad')).toContain('已被他人处理');
    expect(await page.textContent('article.alarm .state')).toContain('wang');
    expect(box.board.get(alarm.id)?.handling).toBe('accepted');
  });

  test('by keys alone: down the list, open, acknowledge, take, write the result, close; the focus stays with the alarm', async () => {
    const box = await Box.start();
    const held = await box.say('door-1', 'door.held', { kind: 'level' });
    const forced = await box.say('door-2', 'door.forced');
    const page = await guard(box, 'admin');
    await page.waitForSelector('article.alarm >> nth=1');
    await page.keyboard.press('?');
    await page.waitForSelector('.key-help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    expect(await focused(page)).toBe(held.id);
    await page.keyboard.press('k');
    expect(await focused(page)).toBe(forced.id);
    // A graver one comes above; whoever is on the second line stays on the alarm they were on.
    const climb = await box.say('cam-1', 'intrusion.climb');
    await page.keyboard.press('j');
    await page.waitForSelector(`[data-id="${climb.id}"]`);
    await page.keyboard.press('n');
    expect(await focused(page)).toBe(forced.id);
    await page.keyboard.press('a');
    await page.waitForSelector(`[data-section=hand] [data-id="${forced.id}"]`);
    expect(await focused(page)).toBe(forced.id);
    await page.keyboard.press('t');
    await page.waitForSelector(`[data-id="${forced.id}"] [data-deed=handle]`);
    expect(box.board.get(forced.id)).toMatchObject({ assignee: 'admin', acknowledgedBy: 'admin' });
    await page.keyboard.press('h');
    await page.keyboard.type('锁已换');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector(`[data-id="${forced.id}"] [data-deed=close]`);
    await page.keyboard.press('x');
    await page.waitForSelector('dialog.ask');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector(`[data-id="${forced.id}"]`, { state: 'detached' });
    expect(box.board.get(forced.id)).toMatchObject({ handling: 'closed', result: '锁已换' });
    expect(await focused(page), 'the one that lies there now').not.toBe(null);
    await page.keyboard.press('n');
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/alarms\//);
  });

  test('a button does not go away under a hand, and a press that was meant for another line does nothing', async () => {
    const box = await Box.start();
    const held = await box.say('door-1', 'door.held', { kind: 'level' });
    const page = await guard(box, 'admin');
    const button = page.locator(`[data-id="${held.id}"] [data-deed=acknowledge]`);
    const at = await button.boundingBox();
    if (at === null) throw new Error('there is no button');
    const [x, y] = [at.x + at.width / 2, at.y + at.height / 2];
    await page.evaluate(handAt(held.id, x, y));
    const climb = await box.say('cam-1', 'intrusion.climb');
    await page.waitForSelector('.toast.bad:has-text("列表刚刚变动")');
    expect(await page.evaluate('stoodFor')).toBeGreaterThan(400);
    expect(await page.locator('article.alarm').first().getAttribute('data-id')).toBe(climb.id);
    expect(box.board.open().map(({ acknowledgedAt }) => acknowledgedAt)).toEqual([null, null]);
    await page.mouse.move(x, y + 3);
    await page.mouse.down();
    await page.mouse.up();
    await page.waitForSelector(`[data-section=hand] [data-id="${climb.id}"]`);
  });

  test('a lost connection is unmistakable; after it nothing is missing, and what happened is said and counted', async () => {
    const box = await Box.start();
    const before = await box.say('door-1', 'door.held', { kind: 'level' });
    const page = await guard(box, 'admin', GONE);
    await page.waitForSelector(`[data-id="${before.id}"]`);
    await box.stop();
    await page.waitForSelector('[data-banner=lost]');
    await page.waitForSelector('.lines.stale');
    expect(await page.textContent('.stale-mark')).toMatch(/以下为 \d\d:\d\d:\d\d 时的情况/);
    expect(await page.textContent('[data-pill=live]')).toContain('重连中');
    const elsewhere = await Box.start({ dir: box.dir });
    await elsewhere.say('door-2', 'door.forced', {}, '来的时候没人看见');
    const gone = await elsewhere.say('sos-1', 'sos', {}, '已有人处理');
    const person = await elsewhere.signIn();
    await person.post(`/api/alarms/${gone.id}/acknowledge`, {});
    await person.post(`/api/alarms/${gone.id}/close`, { result: '误按', reason: '已到场' });
    await elsewhere.stop();
    const again = await Box.start({ dir: box.dir, port: box.port });
    await page.waitForSelector('[data-banner=lost]', { state: 'detached' });
    await page.waitForSelector('[data-banner=gap]');
    expect(await page.textContent('[data-banner=gap]')).toContain('其间发生 2 条警情');
    expect(await page.textContent('.board')).toContain('来的时候没人看见');
    expect(await page.locator('article.alarm').count()).toBe(2);
    expect(await page.locator('.stale-mark, .lines.stale').count()).toBe(0);
    await page.click('[data-banner=gap] button');
    await again.say('door-3', 'door.forced', {}, '现在的');
    await page.waitForSelector('article.alarm >> nth=2');
    expect(await page.locator('[data-banner=gap]').count()).toBe(0);
  }, 60_000);

  test('when the network is cut for ten minutes the board catches up by itself, and says how much it missed', async () => {
    const box = await Box.start();
    const wire = await Wire.to(box.port);
    const { page } = await visit(wire, undefined, GONE);
    await page.clock.install();
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await box.say('door-1', 'door.held', { kind: 'level' }, '断网之前');
    await page.waitForSelector('article.alarm');
    wire.cut();
    await box.say('door-2', 'door.forced', {}, '断网时发生');
    const later = await box.say('door-3', 'door.forced', {}, '断网时发生并已处理');
    await box.board.transact((tx) =>
      tx.act({ type: 'close', alarm: later.id, result: '已处理' }, { actor: 'user:wang', role: 'operator' }),
    );
    // The socket stays open and nobody is at the other end, as after sleep: only the clock says so.
    await page.clock.fastForward(10 * 60_000);
    await page.waitForSelector('[data-banner=lost]');
    await page.waitForSelector('.lines.stale');
    wire.mend();
    await page.waitForSelector('[data-pill=live].good');
    await page.waitForSelector('[data-banner=gap]:has-text("其间发生 2 条警情")');
    await page.waitForSelector('article.alarm:has-text("断网时发生")');
    expect(await page.locator('article.alarm').count()).toBe(2);
  }, 60_000);

  test('another journal than before, as after a restored backup: the list is read again', async () => {
    const box = await Box.start();
    for (let n = 0; n < 5; n += 1) await box.say(`door-${n}`, 'door.held', { kind: 'level' });
    const page = await guard(box, 'admin', new RegExp(`${GONE.source}|401`));
    await page.waitForSelector('article.alarm >> nth=4');
    await box.stop();
    const other = await Box.start({ port: box.port });
    await page.waitForSelector('form.card');
    await signIn(page, 'admin', ADMIN);
    await other.say('door-9', 'door.forced', {}, '新的一本账');
    await page.waitForSelector('article.alarm:has-text("新的一本账")');
    expect(await page.locator('article.alarm').count()).toBe(1);
  }, 60_000);
});
