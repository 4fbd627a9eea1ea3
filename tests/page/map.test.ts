import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, Box, type Person } from '../api/box.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';
import { addPlan, detectors, placeAll, planDrawing } from './plan.ts';

const EVIL = '<img src=x onerror=alert(1)>';
const PHONE = { width: 390, height: 844 };
const SHOTS = process.env['QUANWEI_SHOTS'];

interface Spots {
  spots: { device: string; plan: string; x: number; y: number }[];
  plans: { name: string; areas: { name: string; points: unknown[] }[] }[];
}

async function shot(page: Page, name: string): Promise<void> {
  if (SHOTS === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `map-${name}.png`) });
}

async function openMap(page: Page): Promise<void> {
  await signIn(page, 'admin', ADMIN);
  await page.waitForSelector('[data-pill=live].good');
  await page.goto(`${new URL(page.url()).origin}/#/map`);
}

/** A level-1 alarm takes the screen; whoever wants to see the map says so. */
const lookFirst = (page: Page): Promise<void> => page.click('.takeover .fold');

/** Where on the screen a point of the plan is, px. */
async function onScreen(page: Page, x: number, y: number): Promise<{ x: number; y: number }> {
  const box = await page.locator('.picture').boundingBox();
  if (box === null) throw new Error('the plan is not on the screen');
  return { x: box.x + x * box.width, y: box.y + y * box.height };
}
const spots = async (admin: Person): Promise<Spots['spots']> => (await admin.get<Spots>('/api/plans')).body.spots;

interface Task {
  readonly name: string;
  readonly tdur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args?: { readonly name?: string };
}

/**
 * The longest piece of work on the page's main thread until it is asked for, ms of processor time: how busy the machine
 * is with other things is not the page's.
 */
async function watchBusy(page: Page): Promise<() => Promise<number>> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('there is no browser');
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  return async () => {
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: Task[] };
    const mains = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
    const tasks = traceEvents.filter(
      ({ name, pid, tid }) => name.endsWith('RunTask') && mains.some((main) => main.pid === pid && main.tid === tid),
    );
    if (tasks.length < 10) throw new Error(`the trace has ${tasks.length} tasks`);
    return Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1_000));
  };
}

describe.runIf(canBrowse())('the map', () => {
  afterAll(closeBrowser);

  test('a plan is uploaded, a device dragged to its place, and its alarm flashes there and leads to the device', async () => {
    const box = await Box.start({ settings: { devices: detectors(3, (n) => (n === 1 ? EVIL : `${n} 号烟感`)) } });
    const admin = await box.signIn();
    const { page } = await visit(box);
    await openMap(page);
    await page.waitForSelector('.plan-form');
    await shot(page, 'first');
    await page.setInputFiles('.plan-form input[type=file]', {
      name: '说明.pdf',
      mimeType: 'application/pdf',
      buffer: Buffer.from('%PDF'),
    });
    expect(await page.textContent('.plan-form .problem')).toContain('PNG');
    const picture = { name: '总平面图.png', mimeType: 'image/png', buffer: await planDrawing() };
    await page.setInputFiles('.plan-form input[type=file]', picture);
    await page.click('.plan-form button[type=submit]');
    await page.waitForSelector('[data-stage] .picture');

    await page.click('[data-edit]');
    const item = await page.locator('[data-unplaced-device=smoke-1]').boundingBox();
    const to = await onScreen(page, 0.3, 0.6);
    await page.mouse.move((item?.x ?? 0) + 40, (item?.y ?? 0) + 20);
    await page.mouse.down();
    await page.mouse.move(to.x - 80, to.y - 40, { steps: 4 });
    await page.mouse.move(to.x, to.y, { steps: 4 });
    await page.mouse.up();
    const pin = page.locator('[data-pin=smoke-1]');
    await pin.waitFor();
    // By keyboard: a place in the middle, then a step at a time.
    await page.focus('[data-unplaced-device=smoke-2]');
    await page.keyboard.press('Enter');
    await page.locator('[data-pin=smoke-2]').focus();
    await page.keyboard.press('Shift+ArrowRight');
    await expect
      .poll(async () => (await spots(admin)).find(({ device }) => device === 'smoke-2')?.x)
      .toBeCloseTo(0.52, 2);
    const placed = (await spots(admin)).find(({ device }) => device === 'smoke-1');
    expect(placed?.x).toBeCloseTo(0.3, 2);
    expect(placed?.y).toBeCloseTo(0.6, 2);

    await page.getByRole('button', { name: '画楼栋' }).click();
    for (const [x, y] of [
      [0.09, 0.15],
      [0.3, 0.15],
      [0.3, 0.34],
      [0.09, 0.34],
    ] as const) {
      const corner = await onScreen(page, x, y);
      await page.mouse.click(corner.x, corner.y);
    }
    await page.getByRole('button', { name: '完成轮廓' }).click();
    await page.fill('#ask-name', '3号楼');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-area]');
    await shot(page, 'edit');
    await page.click('[data-edit]');

    await box.say('smoke-1', 'fire.smoke', { kind: 'level' }, EVIL);
    await lookFirst(page);
    await page.waitForSelector('[data-pin=smoke-1].alarm.l1.asking .ring');
    expect(await pin.textContent()).toContain('烟雾报警');
    // The bell's banner has moved everything down.
    const there = await onScreen(page, placed?.x ?? 0, placed?.y ?? 0);
    const at = await pin.boundingBox();
    expect(Math.abs((at?.x ?? 0) + (at?.width ?? 0) / 2 - there.x)).toBeLessThan(6);
    expect(Math.abs((at?.y ?? 0) + (at?.height ?? 0) / 2 - there.y)).toBeLessThan(6);
    // Of a device on no plan: its place says which building.
    await box.board.transact((tx) =>
      tx.event(
        {
          device: 'door-9',
          category: 'door.forced',
          kind: 'pulse',
          active: true,
          replayed: false,
          test: false,
          deviceTime: null,
          detail: {},
        },
        { name: '单元门', place: '3号楼/2单元', channel: 'device', cause: '' },
      ),
    );
    await page.waitForSelector('[data-area].lit');
    await pin.click();
    await page.waitForSelector('[data-card]');
    expect(await page.textContent('[data-card]')).toContain(EVIL);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    expect(await page.locator('[data-alarms] time').first().textContent()).toMatch(/^已 \d+:\d{2}$/);
    await shot(page, 'alarm');
    await page.click('[data-card] a.alarm');
    await page.waitForURL(/#\/alarms\//);
  }, 120_000);

  test('with 300 devices nothing holds the page up, one is found by its name, and groups come apart', async () => {
    const box = await Box.start({ settings: { devices: detectors(300) } });
    const admin = await box.signIn();
    const plan = await addPlan(admin, '小区总平面');
    await placeAll(admin, plan, 300);
    const { page } = await visit(box);
    await openMap(page);
    await page.waitForSelector('[data-pin]');
    const busy = await watchBusy(page);
    const drawn = () =>
      page.evaluate<number>(
        "[...document.querySelectorAll('[data-pin]')].reduce((sum, { dataset }) => sum + Number(dataset.many), 0)",
      );
    expect(await drawn()).toBe(300);
    const groups = await page.locator('[data-pin]').count();
    expect(groups).toBeLessThan(300);
    for (let n = 0; n < 20; n += 1) await box.say(`smoke-${n * 13}`, n === 0 ? 'fire.smoke' : 'battery.low');
    await lookFirst(page);
    await page.waitForSelector('[data-pin].alarm.l1');
    await shot(page, 'many');
    const middle = await onScreen(page, 0.5, 0.5);
    await page.mouse.move(middle.x, middle.y);
    for (let n = 0; n < 6; n += 1) await page.mouse.wheel(0, -240);
    await page.mouse.down();
    await page.mouse.move(middle.x + 300, middle.y + 120, { steps: 15 });
    await page.mouse.up();
    await expect.poll(() => page.locator('[data-pin]').count()).toBeGreaterThan(groups);
    expect(await drawn()).toBe(300);
    await page.fill('[role=search] input', '号楼/7层');
    await page.fill('[role=search] input', '123 号');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-card]');
    expect(await page.textContent('[data-card]')).toContain('123 号烟感');
    const stage = await page.locator('[data-stage]').boundingBox();
    const found = await page.locator('.pin.selected').boundingBox();
    expect(Math.abs((found?.x ?? 0) + 22 - (stage?.x ?? 0) - (stage?.width ?? 0) / 2)).toBeLessThan(60);
    await shot(page, 'found');
    expect(await busy(), 'ms of work in one task').toBeLessThan(200);
  }, 120_000);

  test('on a phone two fingers enlarge the plan, one moves it, and a device is put down by two touches', async () => {
    const box = await Box.start({ settings: { devices: detectors(2, () => '长'.repeat(60)) } });
    const admin = await box.signIn();
    await addPlan(admin, '名称很长的小区总平面图含地下车库与人防工程');
    const { page } = await visit(box, PHONE);
    const touch = await page.context().newCDPSession(page);
    await touch.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 2 });
    await openMap(page);
    await page.waitForSelector('[data-stage] .picture');
    const width = async () => (await page.locator('.picture').boundingBox())?.width ?? 0;
    await expect.poll(width).toBeGreaterThan(200);
    const before = await width();
    const { x, y } = await onScreen(page, 0.5, 0.5);
    const fingers = (...points: [number, number][]) => points.map(([px, py], id) => ({ x: px, y: py, id }));
    const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: [number, number][]) =>
      touch.send('Input.dispatchTouchEvent', { type, touchPoints: fingers(...points) });
    await send('touchStart', [x - 30, y], [x + 30, y]);
    for (let n = 1; n <= 5; n += 1) await send('touchMove', [x - 30 - n * 15, y], [x + 30 + n * 15, y]);
    await send('touchEnd');
    await expect.poll(width).toBeGreaterThan(before * 2);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(PHONE.width);

    await page.click('[data-edit]');
    await page.click('[data-unplaced-device=smoke-1]');
    await page.locator('[data-stage]').scrollIntoViewIfNeeded();
    const stage = await page.locator('[data-stage]').boundingBox();
    await page.mouse.click((stage?.x ?? 0) + 150, (stage?.y ?? 0) + 150);
    await page.waitForSelector('[data-pin=smoke-1]');
    await shot(page, 'phone');
    await expect.poll(async () => (await spots(admin)).length).toBe(1);
  }, 120_000);
});
