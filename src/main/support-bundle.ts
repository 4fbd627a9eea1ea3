import { spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus, freemem, release, totalmem, uptime } from 'node:os';
import { gzipSync } from 'node:zlib';
import { parse, stringify } from 'yaml';
import type { Entry, EntryKind } from '../journal/entry.ts';
import { JournalReader } from '../journal/reader.ts';
import { type Clock, iso } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { examine } from './checks/examination.ts';
import { figures } from './figures.ts';
import { withoutSecrets } from './redaction.ts';
import { dataDirectory, findConfig, loadSettings, type Place } from './settings.ts';
import { settingsInForce } from './settings-in-force.ts';
import { type ArchiveFile, tar } from './tar.ts';
import { VERSION } from './version.ts';

const NEWEST = 5_000;
/** Entries held at a time: a body may be long, and most of them stay here. */
const PIECE = 100;
const LOG_LINES = 5_000;
/** Bodies of these tell about the machine; all others may tell about people and stay here. */
const TOLD_WHOLE: readonly EntryKind[] = [
  'system.started',
  'system.stopped',
  'system.clock',
  'system.storage',
  'system.dropped',
  'system.backup',
  'system.retention',
  'device.state',
  'upstream.rejected',
];

const README = `Quanwei support bundle

about.json        versions and machine
check.json        what "quanwei check" found
gateway.yaml      configuration without secrets
settings.json     what was set on the page and holds over it, without secrets
journal.ndjson    newest ${NEWEST} entries: when, what kind, about which device or alarm; bodies only where they tell
                  about the machine. Names of people are replaced by a mark that is the same for the same name.
figures.json      how many entries of which kind
log.ndjson        what the service logged, where systemd keeps it
`;

/**
 * Everything a stranger needs to help, and nothing about people: a tar.gz.
 * @param log file with the service's log; without it systemd is asked, which answers only those it trusts
 */
export async function supportBundle(
  place: Place,
  clock: Clock,
  log?: string,
): Promise<{ archive: Buffer; files: string[] }> {
  const files: ArchiveFile[] = [{ name: 'README.txt', content: README }];
  const add = (name: string, make: () => string) => {
    try {
      files.push({ name, content: make() });
    } catch (thrown) {
      // What cannot be read is part of the picture.
      const why = thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown);
      files.push({ name: `${name}.missing`, content: `${why}\n` });
    }
  };
  add('about.json', () => json(about(clock)));
  const findings = await examine(place, clock);
  add('check.json', () => json(withoutSecrets(findings)));
  add('gateway.yaml', () => stringify(withoutSecrets(parse(readFileSync(findConfig(place), 'utf8')))));
  add('settings.json', () => json(withoutSecrets(setOnPage(place, clock))));
  add('journal.ndjson', () => read(place, newestEntries));
  add('figures.json', () => read(place, (reader) => json(figures(reader))));
  add('log.ndjson', () => (log === undefined ? serviceLog() : readFileSync(log === '-' ? 0 : log, 'utf8')));
  return { archive: gzipSync(tar(files, clock.wall())), files: files.map(({ name }) => name) };
}

const setOnPage = (place: Place, clock: Clock) =>
  settingsInForce(loadSettings(place).config, clock).page.map(({ by, changed, ...more }) => ({
    ...more,
    changed: iso(changed),
    by: withoutName(by),
  }));

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const about = (clock: Clock) => ({
  made: iso(clock.wall()),
  quanwei: VERSION,
  node: process.versions.node,
  system: `${process.platform}-${process.arch} ${release()}`,
  processors: cpus().length,
  memoryBytes: { total: totalmem(), free: freemem() },
  uptimeSeconds: Math.round(uptime()),
});

function read(place: Place, make: (reader: JournalReader) => string): string {
  const reader = JournalReader.open(dataDirectory(place));
  try {
    return make(reader);
  } finally {
    reader.close();
  }
}

function newestEntries(reader: JournalReader): string {
  const head = reader.head();
  const lines: string[] = [];
  for (let after = Math.max(0, head - NEWEST); after < head; after += PIECE) {
    const entries = reader.read({ after, before: Math.min(after + PIECE, head) + 1, limit: PIECE });
    for (const entry of entries) lines.push(`${JSON.stringify(withoutPeople(entry))}\n`);
  }
  return lines.join('');
}

function withoutPeople({ id: _, body, ...entry }: Entry): Record<string, unknown> {
  return {
    ...entry,
    actor: withoutName(entry.actor),
    ...(entry.kind.startsWith('account.') || entry.kind.startsWith('session.')
      ? { subject: entry.subject === null ? null : mark(entry.subject) }
      : {}),
    ...(TOLD_WHOLE.includes(entry.kind) ? { body: withoutSecrets(body) } : {}),
  };
}

const withoutName = (actor: string): string =>
  actor.replace(/^user:(.+)$/, (_whole, name: string) => `user:${mark(name)}`);

/** Of this bundle alone, so that a mark cannot be looked up in a list of names. */
const MARK_KEY = randomBytes(32);
const mark = (name: string): string => `#${createHmac('sha256', MARK_KEY).update(name).digest('hex').slice(0, 8)}`;

function serviceLog(): string {
  const found = spawnSync('journalctl', ['-u', 'quanwei-gateway', '-n', String(LOG_LINES), '-o', 'cat', '--no-pager'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (found.error !== undefined) throw found.error;
  if (found.stdout.trim() === '') throw new QuanweiError('NOT_FOUND', found.stderr.trim() || 'no log for this user');
  return found.stdout;
}
