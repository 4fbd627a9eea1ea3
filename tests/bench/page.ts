import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumFile } from '../support/chromium.ts';
import { ADMIN_PASSWORD, type GatewayProcess } from '../support/gateway-process.ts';
import { LoadClient } from '../support/mqtt-load.ts';
import { type Compound, compound, gateway, press, SECRET } from './compound.ts';
import { figure, median, percentile, type Report } from './figure.ts';

const CHROMIUM = chromiumFile('whole');
const DESK = { width: 1440, height: 900 };
const LOADS = 5;
const FLOOD_MS = 10_000;
/** Presses whose way to the screen is measured, a moment apart as people press. */
const APART_MS = 250;
/** What runs before the first figure: the page's code and the gateway's are warm then, as they are for years. */
const WARM_UP = 5;

/**
 * Inside the page: long tasks (W3C Long Tasks API: 50 ms and over), and when the takeover first showed which device: the
 * time after the frame in which it was drawn, by the clock that Node has too.
 */
const WATCH = `
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longTasks.push(duration);
  }).observe({ type: 'longtask' });
  const shown = new Map();
  const waiting = new Map();
  window.shownAt = (name) => new Promise((resolve) => {
    if (shown.has(name)) resolve(shown.get(name));
    else waiting.set(name, resolve);
  });
  window.watchScreen = () => {
    const look = () => requestAnimationFrame(() => setTimeout(() => {
      const name = document.querySelector('.takeover .device')?.textContent.trim();
      if (name === undefined || shown.has(name)) return;
      shown.set(name, performance.timeOrigin + performance.now());
      waiting.get(name)?.(shown.get(name));
    }));
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
  };
`;

async function signIn(page: Page, base: string): Promise<void> {
  await page.goto(base);
  await page.fill('#name', 'admin');
  await page.fill('#password', ADMIN_PASSWORD);
  await page.click('form.card button[type=submit]');
  await page.waitForSelector('[data-pill=live].good');
  await page.waitForSelector('.board :is(.quiet, .lines)');
}

/**
 * ms from asking for the address to the board drawn with what the gateway says, and what that took over the network, kB;
 * in a browser that has never been there, but for the cookie of the session.
 */
async function firstLoad(browser: Browser, signedIn: Page, base: string): Promise<{ ms: number; kB: number }> {
  const context = await browser.newContext({ storageState: await signedIn.context().storageState(), viewport: DESK });
  try {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send('Network.enable');
    let bytes = 0;
    devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    const begun = performance.now();
    await page.goto(base, { waitUntil: 'commit' });
    await page.waitForSelector('.board :is(.quiet, .lines)');
    const ms = performance.now() - begun;
    await page.waitForLoadState('load');
    return { ms, kB: bytes / 1_000 };
  } finally {
    await context.close();
  }
}

/** The page in a real browser, on a real gateway: its first load, the way from a button to the screen, a flood. */
export async function page(report: Report, presses: number, flood: number): Promise<void> {
  if (!existsSync(CHROMIUM)) throw new Error(`the benchmark of the page needs Chromium at ${CHROMIUM}`);
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
  const setup = compound(presses + WARM_UP + flood, 1);
  const box = await gateway(dir, setup.devices);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    await box.start();
    await measure(report, box, browser, setup.compound, { presses, flood });
  } finally {
    await browser.close();
    await box.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measure(
  report: Report,
  box: GatewayProcess,
  browser: Browser,
  { hub, buttons }: Compound,
  { presses, flood }: { presses: number; flood: number },
): Promise<void> {
  const base = `http://127.0.0.1:${box.ports.http}`;
  const page = await browser.newPage({ viewport: DESK });
  await page.addInitScript(WATCH);
  await signIn(page, base);
  const loads = [];
  for (let n = 0; n < LOADS; n += 1) loads.push(await firstLoad(browser, page, base));
  report(figure('page: first load of the board', median(loads.map(({ ms }) => ms)), 'ms'));
  report(figure('page: first load of the board, compressed', median(loads.map(({ kB }) => kB)), 'kB'));

  const client = await LoadClient.connect({
    port: box.ports.mqtt,
    clientId: 'bench-page',
    username: hub,
    password: SECRET,
  });
  try {
    const ages = await toScreen(box, page, client, buttons.slice(0, presses + WARM_UP));
    for (const p of [50, 95]) report(figure(`page: button to screen p${p}`, percentile(ages, p), 'ms'));
    await page.reload();
    await page.waitForSelector('[data-pill=live].good');
    const { longest, answered } = await inFlood(
      page,
      client,
      buttons.slice(presses + WARM_UP, presses + WARM_UP + flood),
    );
    report(figure(`page: longest task, ${flood} alarms in ${FLOOD_MS / 1_000} s`, longest, 'ms'));
    report(figure(`page: slowest answer, ${flood} alarms in ${FLOOD_MS / 1_000} s`, answered, 'ms'));
  } finally {
    client.end();
  }
}

/** ms from the publish of a button to the frame that shows it, one after the other, each seen to before the next. */
async function toScreen(
  box: GatewayProcess,
  page: Page,
  client: LoadClient,
  buttons: readonly string[],
): Promise<number[]> {
  const ages: number[] = [];
  await page.evaluate('watchScreen()');
  for (const button of buttons) {
    const { topic, payload } = press(button);
    const at = performance.timeOrigin + performance.now();
    client.publish(topic, payload, '');
    const shown = (await page.evaluate(`shownAt(${JSON.stringify(button)})`)) as number;
    ages.push(shown - at);
    const { alarms } = (await box.api('/api/alarms')) as { alarms: { id: string; condition: string }[] };
    for (const { id } of alarms.filter(({ condition }) => condition.endsWith('unacknowledged'))) {
      await box.api(`/api/alarms/${id}/acknowledge`, {});
    }
    await new Promise((resolve) => setTimeout(resolve, APART_MS));
  }
  return ages.slice(WARM_UP);
}

/** All of them, evenly over the time. The longest task of the page, and how long it once took to answer a question, ms. */
async function inFlood(
  page: Page,
  client: LoadClient,
  buttons: readonly string[],
): Promise<{ longest: number; answered: number }> {
  await page.evaluate('longTasks.length = 0');
  const begun = performance.now();
  let sent = 0;
  const sending = setInterval(() => {
    const due = Math.min(buttons.length, ((performance.now() - begun) / FLOOD_MS) * buttons.length);
    for (; sent < due; sent += 1) {
      const { topic, payload } = press(buttons[sent] as string);
      client.publish(topic, payload, '');
    }
  }, 5);
  let answered = 0;
  try {
    for (;;) {
      const asked = performance.now();
      const title = await page.title();
      answered = Math.max(answered, performance.now() - asked);
      if (title.includes(`(${buttons.length})`)) break;
      if (performance.now() - begun > 3 * FLOOD_MS) throw new Error(`the flood was not all shown: ${title}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    clearInterval(sending);
  }
  const tasks = (await page.evaluate('longTasks')) as number[];
  return { longest: Math.max(0, ...tasks), answered };
}
