import { describe, expect, test } from 'vitest';
import { alarmDraft, openBox, passage, raised, upstreamConfig } from './box.ts';
import { type Arrival, Centre, Reader, until } from './centre.ts';

/** Alarms and passages as fast as given, until told to stop; every alarm is raised, acknowledged and closed. */
async function load(box: Awaited<ReturnType<typeof openBox>>, running: () => boolean): Promise<number> {
  let entries = 0;
  for (let n = 0; running(); n += 1) {
    const { alarm, draft } = raised(n % 5 === 0 ? 1 : 2);
    const acknowledged = { ...alarm, condition: 'active-acknowledged' as const, revision: 2 };
    const closed = { ...alarm, condition: 'normal' as const, handling: 'closed' as const, revision: 3 };
    await box.journal.append([draft, passage(n)]);
    await box.journal.append([alarmDraft('alarm.acknowledged', acknowledged)]);
    await box.journal.append([alarmDraft('alarm.closed', closed)]);
    entries += 4;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return entries;
}

/** As a centre sees it that passes over what it has seen before. */
function inOrderPerAlarm(arrivals: readonly Arrival[]): void {
  const revisions = new Map<string, number>();
  const seen = new Set<string>();
  for (const { event } of arrivals) {
    if (seen.has(event.id)) continue;
    seen.add(event.id);
    const alarm = event.data['alarm'] as { id: string; revision: number } | undefined;
    if (alarm === undefined) continue;
    expect(alarm.revision).toBeGreaterThan(revisions.get(alarm.id) ?? 0);
    revisions.set(alarm.id, alarm.revision);
  }
}

const idsOf = (arrivals: readonly Arrival[]): string[] => arrivals.map(({ event }) => event.id);

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
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 200));
      await centre.stop();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
      await centre.start();
      await until(() => bridge.state().connected && reader.connected, 'everybody is back');
    }
    running = false;
    const entries = await loading;
    await until(() => bridge.state().waiting === 0, 'all is confirmed');
    await until(() => new Set(idsOf(reader.events())).size === entries, 'all has arrived');
    inOrderPerAlarm(reader.events());
    const ours = idsOf(reader.events().filter(({ dup }) => !dup));
    expect(ours).toHaveLength(new Set(ours).size);
  });
});
