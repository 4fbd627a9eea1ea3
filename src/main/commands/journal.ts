import { type Command, InvalidArgumentError } from 'commander';
import { ENTRY_KINDS, type Entry, type EntryKind } from '../../journal/entry.ts';
import { exportEntries } from '../../journal/export.ts';
import { JournalReader } from '../../journal/reader.ts';
import { iso } from '../../kernel/clock.ts';
import { dataDirectory, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';
import { wholeNumber } from './arguments.ts';

interface JournalOptions extends Place {
  readonly from: number;
  readonly kind?: EntryKind[];
  readonly subject?: string;
  readonly limit?: number;
  readonly newest?: number;
  readonly json?: true;
}

export function addJournal(program: Command): void {
  withPlace(program.command('journal'))
    .description('打印日志 print entries of the journal; also while the gateway runs')
    .option('--from <seq>', '从哪条开始 first entry to print', wholeNumber(1), 1)
    .option('--kind <kind>', '类别 only this kind, or all of a room: alarm, device, …; may be repeated', addKind)
    .option('--subject <id>', '对象 only about this alarm, device or door')
    .option('--limit <n>', '最多几条 print at most this many', wholeNumber(1))
    .option('--newest <n>', '最新几条 only the newest n of them', wholeNumber(1, 100_000))
    .option('--json', '每行一个 JSON, one JSON object a line')
    .action(async (options: JournalOptions) => {
      const reader = JournalReader.open(dataDirectory(options));
      try {
        await print(reader, options, new Terminal());
      } finally {
        reader.close();
      }
    });
}

async function print(reader: JournalReader, options: JournalOptions, terminal: Terminal): Promise<void> {
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  for (const entry of chosen(reader, options)) {
    if (left === 0 || terminal.gone) return;
    left -= 1;
    await (options.json === true ? terminal.json({ ...entry, time: iso(entry.wall) }) : terminal.line(plain(entry)));
  }
}

function chosen(reader: JournalReader, { from, kind, subject, newest }: JournalOptions): Iterable<Entry> {
  const which = {
    ...(kind === undefined ? {} : { kinds: kind }),
    ...(subject === undefined ? {} : { subject }),
  };
  if (newest === undefined) return exportEntries(reader, { from, ...which });
  return reader.read({ after: from - 1, limit: newest, newestFirst: true, ...which }).reverse();
}

/** Characters of a body that fit a line a person reads. */
const SHORT = 160;

function plain(entry: Entry): string {
  const body = entry.body === null ? '(erased)' : JSON.stringify(entry.body);
  const short = body.length > SHORT ? `${body.slice(0, SHORT)}…` : body;
  return [entry.seq, iso(entry.wall), entry.kind, entry.subject ?? '-', entry.actor, short].join('  ');
}

function addKind(text: string, kinds: EntryKind[] = []): EntryKind[] {
  const meant = ENTRY_KINDS.filter((kind) => kind === text || kind.startsWith(`${text}.`));
  if (meant.length === 0) throw new InvalidArgumentError(`known kinds: ${ENTRY_KINDS.join(', ')}`);
  return [...kinds, ...meant];
}
