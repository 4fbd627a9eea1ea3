import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, PASSWORD } from '../api/box.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';
import { EVIL, NINETEEN, type UglyBox, uglyBox } from './ugly.ts';

/** Screenshots of every view: artefacts of the run, for people to look at. */
const SHOTS = process.env['QUANWEI_SHOTS'] ?? join(tmpdir(), 'quanwei-shots');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Of size, language and theme each pair is met, in half of the combinations. */
const LOOKS = [
  ['desk', { width: 1440, height: 900 }, 'zh', 'dark'],
  ['desk', { width: 1440, height: 900 }, 'en', 'light'],
  ['phone', { width: 390, height: 844 }, 'en', 'dark'],
  ['phone', { width: 390, height: 844 }, 'zh', 'light'],
] as const;
/** Where a device or person with an ugly name has to be seen, as text. */
const NAMED = ['/', '/wall', '/map', '/alarms', '/devices', '/doors', '/video', '/ledger'];

const textOf = (path: string): string => readFileSync(new URL(`../../src/page/${path}`, import.meta.url), 'utf8');
const UNTRANSLATED = new RegExp(`\\b(${rooms().join('|')})\\.[a-z]\\w+`);

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
  }[];
}

/** What words are kept in; `words.ts` itself needs a browser. */
function rooms(): string[] {
  const [, list = ''] = /const ROOMS = \{([^}]*)\}/.exec(textOf('words/words.ts')) ?? [];
  const names = [...list.matchAll(/(\w+): \w+Words/g)].map(([, name = '']) => name);
  if (names.length < 12) throw new Error(`only ${names.join(' ')} were found in words.ts`);
  return names;
}

/** Every address of the page, as `routes.ts` has them: a new view is looked at without being named here. */
function addresses(alarm: string): string[] {
  const paths = [...textOf('routes.ts').matchAll(/(?:path: |\bview\(\s*)'(\/[^':]*)(:id|:part)?(\?)?'/g)].flatMap(
    ([, base = '', named, optional]) => {
      const without = base === '/' ? base : base.replace(/\/$/, '');
      if (named === undefined) return [without];
      const one = { '/alarms/': alarm, '/devices/': NINETEEN, '/doors/': NINETEEN, '/video/': 'cam-1' }[base] ?? null;
      return [...(optional === '?' ? [without] : []), ...(one === null ? [] : [`${base}${one}`])];
    },
  );
  if (paths.length < 12) throw new Error(`only ${paths.join(' ')} were found in routes.ts`);
  return paths;
}

/** Waits until nothing is being asked for and nothing turns. */
async function settle(page: Page, pending: () => number): Promise<void> {
  const end = performance.now() + 8_000;
  for (let still = 0; still < 3 && performance.now() < end; ) {
    await page.waitForTimeout(50);
    const turning = await page.locator('main .state-box.loading').count();
    still = pending() === 0 && turning === 0 ? still + 1 : 0;
  }
}

/** How many requests are under way that end by themselves. */
function requestsOf(page: Page): () => number {
  const open = new Set<unknown>();
  page.on('request', (request) => {
    if (['fetch', 'xhr', 'script', 'stylesheet', 'image'].includes(request.resourceType())) open.add(request);
  });
  page.on('requestfinished', (request) => void open.delete(request));
  page.on('requestfailed', (request) => void open.delete(request));
  return () => open.size;
}

async function wear(page: Page, language: string, theme: string): Promise<void> {
  await page.evaluate(`localStorage.setItem('quanwei.language', '${language}');
    localStorage.setItem('quanwei.theme', '${theme}')`);
  await page.reload();
  await page.waitForSelector('[data-pill=live].good');
}

/** Findings of axe-core that are serious or critical. What is said to the browser by its debugger no policy refuses. */
async function accessibility(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResult>("axe.run({ resultTypes: ['violations'], preload: false })");
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes
        .slice(0, 4)
        .map(({ target, failureSummary = '' }) => `${id} ${target.join(' ')}: ${failureSummary.split('\n')[1] ?? ''}`),
    );
}

/** Runs before the page does. */
const LISTEN = `window.violations = [];
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile, lineNumber }) => {
    window.violations.push(effectiveDirective + ' ' + blockedURI + ' ' + sourceFile + ':' + lineNumber);
  });`;
const SEE = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  const over = [...document.querySelectorAll('header *, nav *, main *')]
    .filter((one) => one.getBoundingClientRect().right > clientWidth + 1)
    .slice(-3)
    .map((one) => one.tagName.toLowerCase() + '.' + one.className);
  return {
    wide: scrollWidth - clientWidth,
    over,
    text: document.body.innerText,
    view: document.querySelector('#content')?.innerText ?? '',
    images: document.querySelectorAll('img[src=x]').length,
    violations: window.violations.splice(0),
  };
})()`;

interface Seen {
  /** px that the page is wider than the screen */
  readonly wide: number;
  readonly over: readonly string[];
  readonly text: string;
  /** Of the view alone, without the shell and what it says of alarms. */
  readonly view: string;
  /** Made of what a device calls itself. */
  readonly images: number;
  readonly violations: readonly string[];
}

/** What is wrong with what is on the screen now. */
async function wrong(page: Page, address: string): Promise<string[]> {
  const { wide, over, text, view, images, violations } = await page.evaluate<Seen>(SEE);
  const found = violations.map((what) => `broke the policy: ${what}`);
  if (wide > 0) found.push(`is ${wide} px wider than the screen: ${over.join(', ')}`);
  const [key] = UNTRANSLATED.exec(text) ?? [];
  if (key !== undefined) found.push(`shows the key ${key}`);
  if (images > 0) found.push('made a picture of a name');
  const named = NAMED.some((path) => address === path || (path !== '/' && address.startsWith(`${path}/`)));
  if (named && !view.includes(EVIL)) found.push('does not show the name of a device');
  return found;
}

async function lookAt(page: Page, { box, alarm }: UglyBox, name: string): Promise<string[]> {
  const found: string[] = [];
  const pending = requestsOf(page);
  const all = addresses(alarm);
  for (const address of all) {
    await page.goto(`${box.base}/#${address}`);
    await settle(page, pending);
    const parts = await page.evaluate<string[]>(
      `[...document.querySelectorAll('a[href^="#/settings/"]')].map((link) => link.getAttribute('href').slice(1))`,
    );
    for (const part of parts) if (!all.includes(part)) all.push(part);
    const what = [...(await wrong(page, address)), ...(await accessibility(page))];
    found.push(...what.map((one) => `${address}: ${one}`));
    const file = address.replace(alarm, 'one').replaceAll('/', '-').replace(/^-$/, '-board');
    await page.screenshot({ path: join(SHOTS, `${name}${file}.png`) });
  }
  return found;
}

/** Still, so that what fades in or out is not taken for a lack of contrast; and every breach of the policy is counted. */
async function prepare(page: Page): Promise<void> {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.addInitScript(LISTEN);
  await page.reload();
  await page.waitForSelector('form.card');
}

describe.runIf(canBrowse())('every view', () => {
  afterAll(closeBrowser);

  test.each(LOOKS)(
    'on a %s (%o, %s, %s): accessible, inside the screen, translated, and what a device calls itself is text',
    async (device, size, language, theme) => {
      mkdirSync(SHOTS, { recursive: true });
      const ugly = await uglyBox();
      const { page } = await visit(ugly.box, size);
      await prepare(page);
      const signingIn = (await accessibility(page)).map((one) => `sign-in: ${one}`);
      await signIn(page, 'admin', ADMIN);
      await page.waitForSelector('[data-pill=live].good');
      await wear(page, language, theme);
      const name = `${device}-${language}-${theme}`;
      // It covers whatever else there is: looked at first, then put aside.
      await page.waitForSelector('.takeover[open]');
      const takeover = (await accessibility(page)).map((one) => `takeover: ${one}`);
      await page.screenshot({ path: join(SHOTS, `${name}-takeover.png`) });
      await page.click('.takeover .fold');
      await page.waitForSelector('.takeover[open]', { state: 'hidden' });
      expect([...signingIn, ...takeover, ...(await lookAt(page, ugly, name))]).toEqual([]);
    },
    180_000,
  );

  test('whoever may only look gets every view they may see, and is told of the others whom to ask', async () => {
    const { box, alarm } = await uglyBox();
    await box.person('viewer');
    const { page } = await visit(box);
    const pending = requestsOf(page);
    await prepare(page);
    await signIn(page, 'viewer', PASSWORD);
    await page.waitForSelector('[data-pill=live].good');
    const found: string[] = [];
    for (const address of addresses(alarm)) {
      await page.goto(`${box.base}/#${address}`);
      await settle(page, pending);
      const refused = await page.locator('main .state-box.error').count();
      const forbidden = await page.locator('main .state-box.forbidden').count();
      const closed = /^\/(video|doors)/.test(address);
      if (refused > 0) found.push(`${address} could not be read`);
      if (closed && forbidden === 0) found.push(`${address} does not say that it is not for a viewer`);
      found.push(...(await wrong(page, '')).map((one) => `${address}: ${one}`));
    }
    expect(found).toEqual([]);
  }, 120_000);
});
