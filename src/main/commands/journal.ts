import { type Command, InvalidArgumentError } from 'commander';
import { ENTRY_KINDS, type Entry, type EntryKind } from '../../journal/entry.ts';
import { JournalReader } from '../../journal/reader.ts';
import { iso } from '../../kernel/clock.ts';
import { dataDirectory, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';
import { wholeNumber } from './arguments.ts';

/** Entries read at a time: few enough to hold in memory with the largest bodies. */
const PAGE = 256;

interface JournalOptions extends Place {
  readonly from: number;
  readonly kind?: EntryKind[];
  readonly subject?: string;
  readonly limit?: number;
  readonly json?: true;
}

export function addJournal(program: Command): void {
  withPlace(program.command('journal'))
    .description('打印日志 print entries of the journal; also while the gateway runs')
    .option('--from <seq>', '从哪条开始 first entry to print', wholeNumber(1), 1)
    .option('--kind <kind>', '类别 only this kind, or all of a room: alarm, device, …; may be repeated', addKind)
    .option('--subject <id>', '对象 only about this alarm, device or door')
    .option('--limit <n>', '最多几条 print at most this many', wholeNumber(1))
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
  let after = options.from - 1;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  // Entries committed while we print belong to the next call: following is what the live stream is for.
  const before = reader.head() + 1;
  while (left > 0 && !terminal.gone) {
    const entries = reader.read({
      after,
      before,
      limit: Math.min(PAGE, left),
      ...(options.kind === undefined ? {} : { kinds: options.kind }),
      ...(options.subject === undefined ? {} : { subject: options.subject }),
    });
    for (const entry of entries) {
      await (options.json === true ? terminal.json({ ...entry, time: iso(entry.wall) }) : terminal.line(plain(entry)));
      if (terminal.gone) return;
    }
    const last = entries.at(-1);
    if (last === undefined) return;
    after = last.seq;
    left -= entries.length;
  }
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
