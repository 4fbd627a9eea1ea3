import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Live } from './live.ts';
import type { ApiParts } from './ports.ts';
import type { Sessions } from './sessions.ts';
import type { SignInAttempts } from './sign-in-attempts.ts';

export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  /** @param route as declared, never as asked for: names of metrics are bounded */
  answered(route: string, method: string, status: number, seconds: number): void;
}

/** What Prometheus reads at `/metrics`. Gauges look when they are asked; nothing is counted twice. */
export function createMetrics(
  parts: ApiParts,
  { sessions, live, attempts }: { sessions: Sessions; live: Live; attempts: SignInAttempts },
): Metrics {
  const { journal, board, broker, bridge, registry } = parts;
  const register = new Registry();
  collectDefaultMetrics({ register });

  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `quanwei_${name}`,
      help,
      registers: [register],
      collect() {
        this.set(value());
      },
    });
  const gauges = (name: string, help: string, labels: string[], values: () => [Record<string, string>, number][]) =>
    new Gauge({
      name: `quanwei_${name}`,
      help,
      labelNames: labels,
      registers: [register],
      collect() {
        this.reset();
        for (const [label, value] of values()) this.set(label, value);
      },
    });

  gauge('storage_ok', '1 while the journal can be written', () => (journal.state().ok ? 1 : 0));
  gauge('storage_free_bytes', 'Room the journal can still grow into', () => journal.state().freeBytes);
  gauge('journal_bytes', 'Size of the journal', () => journal.state().bytes);
  gauge('journal_head', 'Newest seq', () => journal.head());
  gauge('journal_commits', 'Commits since the start', () => journal.state().commits);
  gauge('journal_queue', 'Requests that wait for the disk', () => journal.state().queue);
  gauge('clock_synced', '1 when the wall clock has been set from a trusted source', () =>
    parts.clock.state() === 'synced' ? 1 : 0,
  );
  gauges('alarms_open', 'Alarms not yet closed', ['level', 'condition'], () => {
    const counts = new Map<string, [Record<string, string>, number]>();
    for (const { level, condition } of board.open()) {
      const key = `${level} ${condition}`;
      const entry = counts.get(key) ?? [{ level: String(level), condition }, 0];
      entry[1] += 1;
      counts.set(key, entry);
    }
    return [...counts.values()];
  });
  gauges('devices', 'Registered devices by whether they are heard from', ['online'], () => {
    const online = registry.all().filter(({ id }) => registry.state(id).online === true).length;
    return [
      [{ online: 'true' }, online],
      [{ online: 'false' }, registry.all().length - online],
    ];
  });
  gauge('sessions', 'People signed in', () => sessions.size);
  gauge('sign_ins_refused', 'Refused attempts to sign in since the start', () => attempts.refused);
  gauge('live_clients', 'Open live streams', () => live.counts.clients);
  gauge('live_entries', 'Entries made into events; once each, however many look on', () => live.counts.events);
  gauge('live_dropped', 'Live streams let go because they were not read', () => live.counts.dropped);
  if (bridge !== null) {
    gauge('upstream_connected', '1 while the centre is reached', () => (bridge.state().connected ? 1 : 0));
    gauge('upstream_oldest_alarm_seconds', 'Age of the oldest alarm the centre has not confirmed', () =>
      Math.round(bridge.state().oldestAlarmMs / 1_000),
    );
    gauges('upstream', 'What the bridge counts', ['what'], () => numbersIn(bridge.state()));
  }
  gauges('broker', 'What the broker counts', ['what'], () => numbersIn(broker.stats()));
  if (parts.counts !== undefined) {
    const counts = parts.counts;
    gauges('intake', 'What the intake counts', ['what'], () => numbersIn(counts()));
  }

  const requests = new Counter({
    name: 'quanwei_http_requests_total',
    help: 'Answered requests',
    labelNames: ['route', 'method', 'status'],
    registers: [register],
  });
  const duration = new Histogram({
    name: 'quanwei_http_request_seconds',
    help: 'Time to answer',
    labelNames: ['route'],
    buckets: [0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers: [register],
  });

  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    answered(route, method, status, seconds) {
      requests.inc({ route, method, status: String(status) });
      duration.observe({ route }, seconds);
    },
  };
}

/** Every number in an object, two levels deep, named `outer_inner`. */
function numbersIn(counts: object): [Record<string, string>, number][] {
  return Object.entries(counts).flatMap(([name, value]): [Record<string, string>, number][] => {
    if (typeof value === 'number') return [[{ what: name }, value]];
    if (typeof value === 'boolean') return [[{ what: name }, value ? 1 : 0]];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([inner, number]): [Record<string, string>, number][] =>
      typeof number === 'number' ? [[{ what: `${name}_${inner}` }, number]] : [],
    );
  });
}
