import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { EVIL } from '../ugly.ts';
import { resultOf } from './duty.ts';
import { go, nameOf, shot, sound, type Visitor } from './visitor.ts';

/** What is on record, what it says in sum, and what the centre has of it. */

async function downloaded(page: Page, format: 'csv' | 'xlsx'): Promise<Buffer> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click(`[data-export=${format}]`)]);
  expect(file.suggestedFilename()).toMatch(new RegExp(`\\.${format}$`));
  const bytes = readFileSync(await file.path());
  await page.waitForSelector(`[data-export=${format}]:enabled`);
  return bytes;
}

export async function searched({ guard, look }: Visitor): Promise<void> {
  await go(guard, '#/ledger?range=all&level=1');
  await guard.fill('#ledger-text', resultOf(look));
  await guard.keyboard.press('Enter');
  const rows = guard.locator('[data-id]');
  await rows.first().waitFor();
  await expect.poll(async () => (await rows.allTextContents()).every((row) => row.includes(EVIL))).toBe(true);
  expect(await rows.first().textContent()).toContain(EVIL);
  expect(await sound(guard)).toEqual([]);
  await shot(guard, look, 'ledger');
  const lines = (await downloaded(guard, 'csv')).toString('utf8').trimEnd().split('\r\n');
  expect(lines).toHaveLength(1 + (await rows.count()));
  expect(lines[1]).toContain(resultOf(look));
  // A workbook is a zip.
  expect((await downloaded(guard, 'xlsx')).subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004');
}

export async function summed({ guard, look }: Visitor): Promise<void> {
  await go(guard, '#/reports?period=7d');
  await guard.waitForSelector('.charts canvas >> nth=3');
  const chart = guard.locator('.chart').first();
  await chart.locator('.toggle').click();
  expect(await chart.locator('tbody tr').count()).toBe(7);
  await guard.click('[data-choice="12m"]');
  await guard.waitForSelector('[data-period="12m"]');
  expect(await sound(guard)).toEqual([]);
  await shot(guard, look, 'reports');
}

/** The centre is away and what it is owed waits; it is back, has all of it, and its order is answered. */
export async function centred({ guard, look, compound }: Visitor): Promise<void> {
  await go(guard, '#/centre');
  await guard.waitForSelector('[data-link=up]');
  await guard.waitForSelector('[data-receipt]');
  await compound.centre.stop();
  await guard.waitForSelector('[data-link=down]');
  const zone = `away-${nameOf(look)}`;
  await compound.seen('loiter', { track: 2, score: 0.7, zone });
  const waiting = async () => (await guard.textContent('[data-waiting]')) ?? '';
  await expect.poll(waiting, { timeout: 10_000 }).toMatch(/[1-9]/);
  await shot(guard, look, 'centre-away');
  await compound.centre.start();
  await guard.waitForSelector('[data-link=up]');
  await expect.poll(waiting, { timeout: 10_000 }).not.toMatch(/[1-9]/);
  const id = `order-${look.n}`;
  await compound.order({ id, by: EVIL, type: 'ping' });
  await guard.waitForSelector(`[data-order=${id}] .good`);
  expect(await guard.textContent(`[data-order=${id}]`)).toContain(EVIL);
  expect(await sound(guard)).toEqual([]);
  await shot(guard, look, 'centre');
  const { alarms } = (await compound.guard.get<{ alarms: { id: string; detail: { zone?: string } }[] }>('/api/alarms'))
    .body;
  for (const one of alarms) {
    if (one.detail.zone === zone) await compound.guard.post(`/api/alarms/${one.id}/false`, { reason: '等人' });
  }
}
