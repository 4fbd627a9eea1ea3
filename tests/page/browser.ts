import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import type { Box, Person } from '../api/box.ts';
import { chromiumFile } from '../support/chromium.ts';

/** What a browser says when the gateway is gone; for tests that make that happen. */
export const GONE =
  /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_NETWORK|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_INTERNET/;

const CHROMIUM = chromiumFile('shell');

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

export interface Manner {
  readonly size?: { readonly width: number; readonly height: number };
  readonly language?: 'zh' | 'en';
  readonly theme?: 'dark' | 'light';
  /** Somebody who has signed in, as the `cookie` header says it; nobody without. */
  readonly cookie?: string;
  /** With the worker that keeps the shell of the page: it costs a browser two seconds, and most tests are about something else. */
  readonly keeps?: boolean;
  /** What the console may complain about, because the test makes it happen. */
  readonly expected?: RegExp;
}

export interface Watched {
  readonly page: Page;
  /** What the console complained about; losing the connection on purpose is for the test to say. */
  readonly complaints: string[];
}

export interface Visit extends Watched {
  /** Ends it; nothing may have been complained of, refused by the policy of the page or sent elsewhere. */
  close(): Promise<void>;
}

/** What Playwright says where the worker is kept out. */
const NO_WORKER = /registration blocked by Playwright/;

/** Runs before the page does: what the policy refuses becomes a complaint, also where the browser would keep quiet. */
const SAY_BREACHES = `document.addEventListener('securitypolicyviolation', (breach) => {
  console.error('broke the policy: ' + breach.effectiveDirective + ' ' + breach.blockedURI + ' ' + breach.sourceFile);
});`;

/** A fresh browser profile on the box's page, for as long as the caller wants. */
export async function open(base: string, manner: Manner = {}): Promise<Visit> {
  const {
    size = { width: 1440, height: 900 },
    language = 'zh',
    theme,
    cookie,
    keeps = false,
    expected = /(?!)/,
  } = manner;
  const kept = [
    { name: 'quanwei.language', value: language },
    ...(theme === undefined ? [] : [{ name: 'quanwei.theme', value: theme }]),
  ];
  const context = await (await launch()).newContext({
    viewport: size,
    locale: language === 'zh' ? 'zh-CN' : 'en-GB',
    serviceWorkers: keeps ? 'allow' : 'block',
    storageState: { cookies: [], origins: [{ origin: base, localStorage: kept }] },
  });
  if (cookie !== undefined) await context.addCookies(cookiesOf(cookie, base));
  await context.addInitScript(SAY_BREACHES);
  const complaints: string[] = [];
  const outside: string[] = [];
  context.on('page', (page) => {
    page.setDefaultTimeout(15_000);
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type()) || NO_WORKER.test(message.text())) return;
      complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      complaints.push(`a dialog opened: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      // A file that somebody chose is played by the page itself, under an address of its own.
      const url = request.url().replace(/^blob:/, '');
      if (!url.startsWith(base)) outside.push(url);
    });
  });
  const page = await context.newPage();
  await page.goto(base);
  const close = async () => {
    await context.close();
    expect(outside, 'requests that leave the box').toEqual([]);
    expect(complaints.filter((line) => !expected.test(line))).toEqual([]);
  };
  return { page, complaints, close };
}

function cookiesOf(cookie: string, url: string) {
  return cookie.split('; ').map((pair) => {
    const at = pair.indexOf('=');
    return { name: pair.slice(0, at), value: pair.slice(at + 1), url };
  });
}

/** The same until the test ends. */
export async function visit(
  box: Pick<Box, 'base'>,
  size: { width: number; height: number } = { width: 1440, height: 900 },
  expected: RegExp = /(?!)/,
): Promise<Watched> {
  const { close, ...watched } = await open(box.base, { size, expected });
  onTestFinished(close);
  return watched;
}

/** Somebody who is signed in already, at the board; a cookie is cheaper than a password. */
export async function enter(who: Person, manner: Manner = {}): Promise<Page> {
  const { page, close } = await open(who.base, { ...manner, cookie: who.cookie });
  onTestFinished(close);
  await page.waitForSelector('[data-pill=live].good');
  return page;
}

export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.fill('#name', name);
  await page.fill('#password', password);
  await page.click('form.card button[type=submit]');
}
