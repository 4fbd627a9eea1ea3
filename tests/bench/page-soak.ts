import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { chromiumFile } from '../support/chromium.ts';
import { ADMIN_PASSWORD } from '../support/gateway-process.ts';
import { LoadClient } from '../support/mqtt-load.ts';
import { compound, gateway, pass, press, SECRET } from './compound.ts';
import { figure, median } from './figure.ts';

/**
 * `npm run soak:page -- [--hours 8] [--minutes 20]`: what a guard's browser goes through in so many hours of a busy
 * compound, played in so many minutes: a press every 30 s that is acknowledged and closed by somebody else, a door record
 * every 2 s, a change of view every quarter of an hour. One JSON line a figure: what the page holds in the last quarter,
 * beside the second quarter (the first one still warms up), each time after its garbage was collected.
 */
const { values } = parseArgs({
  options: { hours: { type: 'string', default: '8' }, minutes: { type: 'string', default: '20' } },
});
const hours = Number(values.hours);
const minutes = Number(values.minutes);
const STEP_S = 2;
const steps = (hours * 3_600) / STEP_S;
const stepMs = (minutes * 60_000) / steps;
const SAMPLES = 80;
/** Alarms that stand open at any time. */
const OPEN = 20;
const VIEWS = ['/', '/map', '/devices', '/ledger', '/', '/doors', '/reports', '/wall', '/centre', '/'];

const dir = mkdtempSync(join(tmpdir(), 'quanwei-soak-'));
const setup = compound(200, 10);
const box = await gateway(dir, setup.devices, { alarms: { window: '1s' } });
await box.start();
const base = `http://127.0.0.1:${box.ports.http}`;
const hub = await LoadClient.connect({
  port: box.ports.mqtt,
  clientId: 'hub',
  username: setup.compound.hub,
  password: SECRET,
});
const [door = ''] = setup.compound.doors;
const terminal = await LoadClient.connect({ port: box.ports.mqtt, clientId: door, username: door, password: SECRET });
const browser = await chromium.launch({
  executablePath: chromiumFile('whole'),
  args: ['--no-sandbox', '--disable-gpu'],
});
const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
await page.goto(base);
await page.fill('#name', 'admin');
await page.fill('#password', ADMIN_PASSWORD);
await page.click('form.card button[type=submit]');
await page.waitForSelector('[data-pill=live].good');
const inspector = await page.context().newCDPSession(page);
await inspector.send('Performance.enable');

interface Sample {
  readonly part: number;
  readonly heap: number;
  readonly nodes: number;
  readonly listeners: number;
}
const samples: Sample[] = [];

async function sample(part: number): Promise<void> {
  await inspector.send('HeapProfiler.collectGarbage');
  const { metrics } = await inspector.send('Performance.getMetrics');
  const of = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0;
  samples.push({
    part,
    heap: of('JSHeapUsedSize') / 1_048_576,
    nodes: of('Nodes'),
    listeners: of('JSEventListeners'),
  });
}

/** As a colleague at another screen does it: the oldest are acknowledged, handled and closed. */
async function tidy(): Promise<void> {
  const { alarms } = (await box.api('/api/alarms?limit=500')) as { alarms: { id: string; raisedAt: number }[] };
  const oldest = [...alarms].sort((a, b) => a.raisedAt - b.raisedAt).slice(0, Math.max(0, alarms.length - OPEN));
  for (const { id } of oldest) {
    await box.api(`/api/alarms/${id}/acknowledge`, {});
    await box.api(`/api/alarms/${id}/close`, { result: '已到现场，误触', reason: '已复位' });
  }
}

const go = (to: string) => page.evaluate(`location.hash = ${JSON.stringify(to)}`);

const begun = performance.now();
let view = 0;
for (let step = 0; step < steps; step += 1) {
  const record = pass(door, step + 1);
  terminal.publish(record.topic, record.payload, '');
  if (step % 15 === 0) {
    const { topic, payload } = press(setup.compound.buttons[(step / 15) % setup.compound.buttons.length] as string);
    hub.publish(topic, payload, '');
  }
  if (step % 150 === 149) await tidy();
  if (step % 450 === 449) {
    view = (view + 1) % VIEWS.length;
    await go(VIEWS[view] as string);
  }
  // Always on the board, so that the same is compared with the same.
  if (step % Math.floor(steps / SAMPLES) === 0) {
    await go('/');
    await page.waitForTimeout(500);
    await sample(step / steps);
    await go(VIEWS[view] as string);
  }
  const ahead = (step + 1) * stepMs - (performance.now() - begun);
  if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
}

await browser.close();
hub.end();
terminal.end();
await box.stop();
rmSync(dir, { recursive: true, force: true });

const quarter = (n: number, of: (one: Sample) => number) =>
  median(samples.filter(({ part }) => part >= n / 4 && part < (n + 1) / 4).map(of));
const tell = (name: string, unit: string, of: (one: Sample) => number) =>
  console.log(
    JSON.stringify(
      figure(`page: ${name}, last quarter of ${hours} h`, quarter(3, of), unit, 'second quarter', quarter(1, of)),
    ),
  );
tell('memory of its program', 'MB', ({ heap }) => heap);
tell('elements', 'nodes', ({ nodes }) => nodes);
tell('listeners', 'listeners', ({ listeners }) => listeners);
