import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { program } from '../support/programs.ts';
import { alarmDraft, type Box, openBox, passage, raised, upstreamConfig } from './box.ts';
import { type Arrival, Centre, Reader, until } from './centre.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Alarms and passages as fast as they can be stored, until told to stop; each alarm is acknowledged and closed. */
async function load(box: Box, running: () => boolean): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; running(); n += 1) {
    const { alarm, draft } = raised(n % 5 === 0 ? 1 : 2);
    const acknowledged = { ...alarm, condition: 'active-acknowledged' as const, revision: 2 };
    const closed = { ...alarm, condition: 'normal' as const, handling: 'closed' as const, revision: 3 };
    const first = await box.journal.append([draft, passage(n)]);
    const second = await box.journal.append([alarmDraft('alarm.acknowledged', acknowledged)]);
    const third = await box.journal.append([alarmDraft('alarm.closed', closed)]);
    for (const { id } of [...first, ...second, ...third]) ids.push(id);
    if (n % 8 === 0) await pause(1);
  }
  return ids;
}

const idsOf = (arrivals: readonly Arrival[]): string[] => arrivals.map(({ event }) => event.id);

/** Arrivals as a centre takes them that passes over what it has seen before. */
function firsts(arrivals: readonly Arrival[]): Arrival[] {
  const seen = new Set<string>();
  return arrivals.filter(({ event }) => !seen.has(event.id) && seen.add(event.id));
}

function expectOrderPerAlarm(arrivals: readonly Arrival[]): void {
  const sequences = new Map<string, string>();
  for (const { event } of firsts(arrivals)) {
    if (!event.type.startsWith('cn.quanwei.alarm.')) continue;
    const alarm = String(event['subject']);
    expect(String(event['sequence']) > (sequences.get(alarm) ?? '')).toBe(true);
    sequences.set(alarm, String(event['sequence']));
  }
}

/** Duplicates that are not the broker's own resends to its reader. */
function ownDuplicates(arrivals: readonly Arrival[]): number {
  const mine = idsOf(arrivals.filter(({ dup }) => !dup));
  return mine.length - new Set(mine).size;
}

describe('the centre’s broker goes away under load', () => {
  test('stopped in order and started again, many times: all arrives, in order per alarm, nothing twice', async () => {
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    const box = await openBox();
    const bridge = box.bridge(upstreamConfig({ url: centre.url }));
    bridge.start();
    let running = true;
    const loading = load(box, () => running);
    for (let outage = 0; outage < 8; outage += 1) {
      await pause(200 + Math.random() * 200);
      await centre.stop();
      await pause(Math.random() * 300);
      await centre.start();
      await until(() => bridge.state().connected && reader.connected, 'everybody is back');
    }
    running = false;
    const stored = await loading;
    await until(() => bridge.state().waiting === 0, 'all is confirmed');
    await until(() => new Set(idsOf(reader.events())).size >= stored.length, 'all has arrived');
    expect(new Set(idsOf(reader.events()))).toEqual(new Set(stored));
    expectOrderPerAlarm(reader.events());
    expect(ownDuplicates(reader.events())).toBe(0);
    expect(bridge.state().counts.resent).toBeGreaterThan(0);
  });

  test('killed, and it forgets everything: with receipts from the centre all arrives all the same, in order per alarm', async () => {
    const centre = await Centre.start({ persistence: false });
    const reader = await Reader.connect(centre.port);
    reader.onArrival = ({ topic, event }) => {
      if (!topic.includes('/event/')) return;
      const receipt = JSON.stringify({ ids: [event.id], result: 'accepted' });
      reader.publish('quanwei/v1/longquan/spring-garden/receipt', receipt).catch(() => undefined);
    };
    const box = await openBox();
    const bridge = box.bridge(upstreamConfig({ url: centre.url, confirm: 'receipt', receiptTimeout: '1s' }));
    bridge.start();
    let running = true;
    const loading = load(box, () => running);
    const kills = 4;
    for (let outage = 0; outage < kills; outage += 1) {
      await pause(200 + Math.random() * 200);
      await centre.kill();
      await centre.start();
      await until(() => bridge.state().connected && reader.connected, 'everybody is back');
    }
    running = false;
    const stored = await loading;
    await until(() => bridge.state().waiting === 0, 'all is confirmed', 60_000);
    expect(new Set(idsOf(reader.events()))).toEqual(new Set(stored));
    expectOrderPerAlarm(reader.events());
  }, 120_000);

  test('what it confirmed before it was killed is not sent again, but for the one in its hands', async () => {
    const centre = await Centre.start({ persistence: false });
    const reader = await Reader.connect(centre.port);
    const box = await openBox();
    const bridge = box.bridge(upstreamConfig({ url: centre.url }));
    bridge.start();
    let running = true;
    const loading = load(box, () => running);
    const kills = 4;
    for (let outage = 0; outage < kills; outage += 1) {
      await pause(300);
      await centre.kill();
      await centre.start();
      await until(() => bridge.state().connected && reader.connected, 'everybody is back');
    }
    running = false;
    const stored = new Set(await loading);
    await until(() => bridge.state().waiting === 0, 'all is confirmed');
    expect(bridge.state().counts.confirmed).toBe(stored.size);
    expect(ownDuplicates(reader.events())).toBeLessThanOrEqual(kills);
    expectOrderPerAlarm(reader.events());
  }, 60_000);
});

describe('the box goes away under load', () => {
  const SCRIPT = program('upstream/bridge');

  function run(dir: string, url: string, confirm: string, count: number, committed: Set<string>): ChildProcess {
    const child = fork(SCRIPT, [dir, url, confirm, String(count)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.on('message', (message) => committed.add((message as { committed: string }).committed));
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  }

  test.each(['broker', 'receipt'])(
    'killed again and again (confirm: %s): nothing is lost, order is kept',
    async (confirm) => {
      const centre = await Centre.start();
      const reader = await Reader.connect(centre.port);
      if (confirm === 'receipt') {
        reader.onArrival = ({ topic, event }) => {
          if (!topic.includes('/event/')) return;
          const receipt = JSON.stringify({ ids: [event.id], result: 'accepted' });
          reader.publish('quanwei/v1/longquan/spring-garden/receipt', receipt).catch(() => undefined);
        };
      }
      const dir = dataDir();
      const committed = new Set<string>();
      for (let kill = 0; kill < 5; kill += 1) {
        const child = run(dir, centre.url, confirm, 100_000, committed);
        const before = committed.size;
        await until(() => committed.size > before + 20, 'it is at work');
        await pause(Math.random() * 600);
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      const last = run(dir, centre.url, confirm, 20, committed);
      const [code] = await once(last, 'exit');
      expect(code).toBe(0);
      await until(() => {
        const arrived = new Set(idsOf(reader.events()));
        return [...committed].every((id) => arrived.has(id));
      }, 'all has arrived');
      expectOrderPerAlarm(reader.events());
      // What was confirmed in the quarter of a second before a kill comes again, and no more than that.
      const duplicates = reader.events().length - new Set(idsOf(reader.events())).size;
      expect(duplicates).toBeLessThan(5 * 1_000);
    },
    60_000,
  );

  test('stopped in order: nothing comes twice after the next start', async () => {
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    const dir = dataDir();
    const committed = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const [code] = await once(run(dir, centre.url, 'broker', 50, committed), 'exit');
      expect(code).toBe(0);
    }
    await until(() => reader.events().length >= committed.size, 'all has arrived');
    expect(idsOf(reader.events())).toHaveLength(committed.size);
  });
});
