// A journal and a bridge in a process of their own, as shipped, so that a test can kill it: DIR URL CONFIRM COUNT
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { GatewayConfig } from '../../src/config/schema.ts';
import { Journal } from '../../src/journal/journal.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { Bridge } from '../../src/upstream/bridge.ts';

const [dir, url, confirm, count] = process.argv.slice(2);
const clock = new SystemClock();
const log = pino({ level: 'fatal' });
const journal = await Journal.open({ dir, clock, log, newId: idSource(clock) });
const { site, upstream } = GatewayConfig.parse({
  site: { id: 'spring-garden', name: '泉水花园', street: 'longquan' },
  upstream: { url, confirm, backoff: { min: '50ms', max: '200ms', stable: '10s' } },
});
const bridge = new Bridge({ journal, config: upstream, site, clock, log, random: Math.random, orders: {} });
bridge.start();

// Each alarm is raised in lane 1, becomes graver, is acknowledged and closed in lane 0.
const steps = [
  ['alarm.raised', 1, { level: 2, revision: 1 }],
  ['alarm.regraded', 0, { level: 1, revision: 2 }],
  ['alarm.acknowledged', 0, { level: 1, revision: 3 }],
  ['alarm.closed', 0, { level: 1, revision: 4 }],
];
let alive = [];
for (let n = 0; n < Number(count); n += 1) {
  alive.push({ id: randomUUID(), step: 0 });
  const drafts = alive.map((alarm) => {
    const [kind, lane, more] = steps[alarm.step];
    alarm.step += 1;
    const body = { alarm: { id: alarm.id, category: 'intrusion.climb', evidence: [], ...more }, change: {} };
    return { kind, actor: 'system', subject: alarm.id, lane, body };
  });
  alive = alive.filter(({ step }) => step < steps.length);
  for (const entry of await journal.append(drafts)) process.send?.({ committed: entry.id });
  await new Promise((resolve) => setTimeout(resolve, 1));
}
while (!bridge.state().connected || bridge.state().waiting > 0) await new Promise((resolve) => setTimeout(resolve, 20));
await bridge.stop();
await journal.close();
process.exit(0);
