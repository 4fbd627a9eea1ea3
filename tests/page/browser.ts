import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import type { Box } from '../api/box.ts';

const CHROMIUM = process.env['QUANWEI_CHROMIUM'] ?? '/usr/bin/chromium';

/** Whether there is a browser to test in. Where CI=true there has to be. */
export function canBrowse(): boolean {
  if (existsSync(CHROMIUM)) return true;
  if (process.env['CI'] === 'true') throw new Error(`the tests of the page need Chromium at ${CHROMIUM}`);
  console.warn(`skipped: the tests of the page need Chromium at ${CHROMIUM}`);
  return false;
}

let browser: Promise<Browser> | null = null;

/** One browser for a file of tests; every page in it is a person of its own. */
export function launch(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: CHROMIUM,
    // As a guard's browser has it: no sound before somebody has touched the page.
    args: ['--no-sandbox', '--autoplay-policy=document-user-activation-required'],
  });
  return browser;
}

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = null;
}

export interface Watched {
  readonly page: Page;
  /** What the console complained about; losing the connection on purpose is for the test to say. */
  readonly complaints: string[];
}

/** A fresh browser profile on the box's page. When the test ends, nothing may have been complained of or sent elsewhere. */
export async function visit(
  box: Pick<Box, 'base'>,
  size: { width: number; height: number } = { width: 1440, height: 900 },
  expected: RegExp = /(?!)/,
): Promise<Watched> {
  const context = await (await launch()).newContext({ viewport: size, locale: 'zh-CN' });
  const complaints: string[] = [];
  const outside: string[] = [];
  context.on('page', (page) => {
    page.setDefaultTimeout(15_000);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      complaints.push(`a dialog opened: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(box.base)) outside.push(request.url());
    });
  });
  const page = await context.newPage();
  onTestFinished(async () => {
    await context.close();
    expect(outside, 'requests that leave the box').toEqual([]);
    expect(complaints.filter((line) => !expected.test(line))).toEqual([]);
  });
  await page.goto(box.base);
  return { page, complaints };
}

export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.fill('#name', name);
  await page.fill('#password', password);
  await page.click('form.card button[type=submit]');
}
