import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, Box, PASSWORD } from '../api/box.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';

const EVIL = '<img src=x onerror=alert(1)>';
const PHONE = { width: 390, height: 844 };

/** Writes down what the page says, shows and shakes; a headless browser has neither voice nor pocket. */
const SPIES = `
  window.told = { said: [], notices: [], closed: [], shaken: 0, locks: 0 };
  speechSynthesis.speak = (words) => told.said.push(words.lang + ' ' + words.text);
  window.Notification = class extends EventTarget {
    static permission = 'default';
    static requestPermission() { this.permission = 'granted'; return Promise.resolve('granted'); }
    constructor(title, options) { super(); this.tag = options.tag; told.notices.push(title + ' | ' + options.body); }
    close() { told.closed.push(this.tag); }
  };
  navigator.vibrate = () => { told.shaken += 1; return true; };
  navigator.wakeLock.request = () => { told.locks += 1; return Promise.resolve({ released: false, release: () => Promise.resolve() }); };
`;
/** Presses what is there to be pressed, by mouse and by key, at the moment it comes into being. */
const TOO_FAST = `
  new MutationObserver((_, watching) => {
    const button = document.querySelector('.acknowledge');
    if (button === null) return;
    watching.disconnect();
    window.wasDisabled = button.disabled;
    button.click();
    button.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true }));
  }).observe(document, { childList: true, subtree: true });
`;
interface Told {
  said: string[];
  notices: string[];
  closed: string[];
  shaken: number;
  locks: number;
}
const told = (page: Page) => page.evaluate('told') as Promise<Told>;

describe.runIf(canBrowse())('a level-1 alarm', () => {
  afterAll(closeBrowser);

  test('takes the screen on whichever view, rings until it is acknowledged, and cannot be pressed by mistake', async () => {
    const box = await Box.start();
    const { page } = await visit(box);
    await page.addInitScript(TOO_FAST);
    await page.reload();
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('.quiet');
    await page.click('a[href="#/devices"]');
    await box.say('sos-1', 'sos', {}, EVIL);
    await page.waitForSelector('.takeover[open]');
    expect(await page.evaluate('wasDisabled'), 'in the moment it appears').toBe(true);
    const screen = (await page.textContent('.takeover')) ?? '';
    for (const said of ['一级', '紧急求助', '1号楼/大厅', EVIL, '已持续', '确认剩余']) expect(screen).toContain(said);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    await page.waitForSelector('[data-banner=ringing]');
    expect(box.board.open()[0]?.acknowledgedAt).toBe(null);
    await page.click('.acknowledge:enabled');
    await page.waitForSelector('.takeover', { state: 'detached' });
    await page.waitForSelector('[data-banner=ringing]', { state: 'detached' });
    expect(box.board.open()[0]).toMatchObject({ acknowledgedBy: 'admin', condition: 'latched' });
  });

  test('that the sound is off cannot be overlooked, and is mended in the same place', async () => {
    const box = await Box.start();
    const { page: first } = await visit(box);
    await signIn(first, 'admin', ADMIN);
    await first.waitForSelector('[data-pill=sound].good');
    // The next morning: signed in, but nobody has touched it yet. The browser keeps it silent and the page says so.
    const page = await first.context().newPage();
    await page.goto(box.base);
    await page.waitForSelector('[data-banner=sound]');
    expect(await page.textContent('[data-pill=sound]')).toContain('开启声音');
    await box.say('sos-1', 'sos', {}, '302紧急按钮');
    await page.waitForSelector('[data-banner=sound].bad');
    expect(await page.textContent('[data-banner=sound]')).toContain('有一级警情，但声音未开启');
    await page.click('.takeover .gate');
    await page.waitForSelector('[data-banner=sound]', { state: 'detached' });
    expect(await page.locator('.takeover .gate').count()).toBe(0);
    expect(await page.textContent('[data-pill=sound]')).toContain('声音已开启');
  });

  test('several at once are all named; put aside they go on ringing, and the next one takes the screen again', async () => {
    const box = await Box.start();
    const { page } = await visit(box, PHONE);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('.quiet');
    for (const n of [1, 2, 3]) await box.say(`smoke-${n}`, 'fire.smoke', { kind: 'level' }, `${n}楼走廊烟感`);
    await page.waitForSelector('.takeover .others li:nth-child(2)');
    const screen = (await page.textContent('.takeover')) ?? '';
    for (const n of [1, 2, 3]) expect(screen).toContain(`${n}楼走廊烟感`);
    expect(screen).toContain('3 条一级警情未确认');
    await page.keyboard.press('Escape');
    await page.waitForSelector('.takeover', { state: 'detached' });
    await page.waitForSelector('[data-banner=ringing] .unfold');
    await box.say('sos-4', 'sos', {}, '4号楼紧急按钮');
    await page.waitForSelector('.takeover');
    const wide = () => page.evaluate('document.querySelector(".takeover").scrollWidth');
    expect(await wide()).toBe(PHONE.width);
    const order = () => page.locator('[data-rings]').evaluateAll((all) => all.map((one) => one.textContent));
    expect((await order())[0]).toContain('1楼走廊烟感');
    expect((await order()).length).toBe(4);
    // Another person sees to the first: it goes from this screen too.
    const other = await box.person('operator', 'wang');
    const [eldest] = box.board.open().sort((a, b) => a.raisedAt - b.raisedAt);
    await other.post(`/api/alarms/${eldest?.id}/acknowledge`, {});
    await page.waitForSelector('.takeover .first:has-text("2楼走廊烟感")');
    await page.waitForSelector('.acknowledge:enabled');
    await page.keyboard.press('a');
    await page.waitForSelector('.takeover .first:has-text("3楼走廊烟感")');
    expect(box.board.open().filter(({ acknowledgedBy }) => acknowledgedBy === 'admin').length).toBe(1);
  }, 60_000);

  test('is said aloud, notified where that was allowed, felt, and keeps the screen on; a drill does none of it', async () => {
    const box = await Box.start();
    const { page } = await visit(box);
    await page.addInitScript(SPIES);
    await page.reload();
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=sound].good');
    expect((await told(page)).notices).toEqual([]);
    await page.click('[data-pill=notices]');
    await page.waitForSelector('[data-pill=notices]', { state: 'detached' });
    await box.say('smoke-8', 'fire.smoke', { test: true }, '演练烟感');
    await box.say('smoke-9', 'fire.smoke', { replayed: true }, '补报烟感');
    await page.waitForSelector('[data-section=aside] article >> nth=1');
    expect(await told(page)).toEqual({ said: [], notices: [], closed: [], shaken: 0, locks: 0 });
    const alarm = await box.say('sos-1', 'sos', {}, '302紧急按钮');
    await page.waitForSelector('.takeover');
    await expect.poll(async () => (await told(page)).shaken).toBeGreaterThan(0);
    expect(await told(page)).toMatchObject({
      said: ['zh-CN 一级警情。紧急求助，1号楼 大厅，302紧急按钮'],
      notices: ['一级警情 · 紧急求助 | 1号楼 大厅 · 302紧急按钮'],
      closed: [],
      locks: 1,
    });
    await page.click('.acknowledge:enabled');
    await expect.poll(async () => (await told(page)).closed).toEqual([alarm.id]);
  });

  test('on the wall it is as large as the screen allows, and nothing has to be pressed', async () => {
    const box = await Box.start();
    await box.person('viewer', 'wall');
    const { page } = await visit(box);
    await signIn(page, 'wall', PASSWORD);
    await page.waitForSelector('.quiet');
    await page.goto(`${box.base}/#/wall`);
    await page.waitForSelector('.wall-screen .quiet:has-text("目前没有警情")');
    await box.say('door-1', 'door.forced', {}, EVIL);
    await box.say('sos-1', 'sos', {}, '302紧急按钮');
    await page.waitForSelector('.wall-screen li.rings');
    expect(await page.locator('.takeover').count()).toBe(0);
    const lines = await page.locator('.wall-screen li.alarm').allTextContents();
    expect(lines[0]).toContain('302紧急按钮');
    expect(lines[1]).toContain(EVIL);
    expect(await page.locator('.counts .some').count()).toBe(2);
    expect(await page.textContent('.wall-screen .link')).toBe('实时');
    const height = (await page.locator('.wall-screen li h2').first().boundingBox())?.height ?? 0;
    expect(height, 'read from two metres').toBeGreaterThan(36);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(1440);
    await page.keyboard.press('Escape');
    await page.waitForSelector('.board, .takeover');
  });
});
