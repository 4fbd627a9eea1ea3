import type { ServerResponse } from 'node:http';
import { ENTRY_KINDS, type Entry, type EntryKind } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';

/** What a person may follow, by the first word of an entry's kind. */
export const LIVE_TOPICS = ['alarm', 'device', 'door', 'plan', 'system', 'upstream', 'order'] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

export const HEARTBEAT_MS = 15_000;
const CLIENTS = 200;
const PER_SESSION = 10;
/** Bytes a client may leave unread before it is told no more and let go; it comes back with its Last-Event-ID. */
const UNREAD = 1024 * 1024;
/** A client that leaves anything unread for this long is gone without saying so. */
const STALLED_MS = 3 * HEARTBEAT_MS;
const PAGE = 200;
/** More entries behind than this and reading the lists afresh is quicker: the client is told to. */
const REPLAY = 20_000;

export interface LiveRequest {
  readonly raw: ServerResponse;
  readonly headers: Record<string, number | string | string[] | undefined>;
  readonly topics: readonly LiveTopic[];
  /** Entries after this one are sent; `null` for those from now on. */
  readonly after: number | null;
  /** Ends with this session. */
  readonly session: string;
}

interface Client {
  readonly raw: ServerResponse;
  readonly kinds: readonly EntryKind[];
  /** Clients of the same filter get the same bytes. */
  readonly filter: string;
  readonly session: string;
  /** Seq up to which it has everything it asked for. */
  position: number;
  /** `false` while it is still being read to. */
  following: boolean;
  replayed: number;
  stalledSince: number | null;
}

export interface LiveCounts {
  clients: number;
  /** Let go because they did not read. */
  dropped: number;
  /** Entries made into text for those who follow; once each, however many they are. */
  events: number;
}

/**
 * The journal as a stream of server-sent events (WHATWG HTML §9.2); the event id is the journal's `seq`. An entry is
 * turned into text once, however many listen. A client reads what it missed from the journal and changes over to
 * following in the turn of the event loop in which nothing is left to read: no gap, nothing twice.
 */
export class Live {
  readonly counts: LiveCounts = { clients: 0, dropped: 0, events: 0 };
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #state: () => unknown;
  readonly #alive: (session: string) => boolean;
  readonly #clients = new Set<Client>();
  readonly #timers: Cancel[];

  /**
   * @param parts.state sent with every heartbeat and whenever storage fails or recovers, as event `state`
   * @param parts.alive whether a session still is; asked at every heartbeat
   */
  constructor(parts: {
    journal: Journal;
    clock: Clock;
    log: Log;
    state: () => unknown;
    alive: (session: string) => boolean;
  }) {
    this.#journal = parts.journal;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#state = parts.state;
    this.#alive = parts.alive;
    this.#timers = [
      parts.journal.follow((entries) => this.#onEntries(entries)),
      parts.journal.onState(() => this.tellState()),
      parts.clock.every(HEARTBEAT_MS, () => this.#beat()),
    ];
  }

  /** Answers with the stream. @throws QuanweiError TOO_MANY */
  open({ raw, headers, topics, after, session }: LiveRequest): void {
    const mine = [...this.#clients].filter((client) => client.session === session).length;
    if (this.#clients.size >= CLIENTS || mine >= PER_SESSION) {
      throw new QuanweiError('TOO_MANY', '打开的实时页面太多 · too many live streams are open');
    }
    const kinds = ENTRY_KINDS.filter((kind) => topics.some((topic) => kind.startsWith(`${topic}.`)));
    const head = this.#journal.head();
    const client: Client = {
      raw,
      kinds,
      filter: kinds.join(),
      session,
      position: after === null ? head : after,
      following: false,
      replayed: 0,
      stalledSince: null,
    };
    raw.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    raw.on('close', () => this.#remove(client));
    raw.on('error', (error) => this.#log.debug({ err: error }, 'a live stream broke'));
    this.#clients.add(client);
    this.counts.clients = this.#clients.size;
    // A seq that is yet to come is that of another journal: a backup was restored, or a damaged file set aside.
    const elsewhere = client.position > head;
    if (elsewhere) client.position = head;
    const state = eventText('state', this.#state());
    this.#write(client, `retry: 2000\n\n${elsewhere ? resetText(head) : `id: ${client.position}\n\n`}${state}`);
    this.#catchUp(client);
  }

  /** Sends the state to everybody now. */
  tellState(): void {
    if (this.#clients.size === 0) return;
    const bytes = Buffer.from(eventText('state', this.#state()));
    for (const client of [...this.#clients]) this.#write(client, bytes);
  }

  /** Ends the streams of a session that is over. */
  endSession(session: string): void {
    for (const client of [...this.#clients]) if (client.session === session) this.#end(client, 'session');
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    for (const client of [...this.#clients]) this.#end(client, 'stopping');
  }

  #onEntries(entries: readonly Entry[]): void {
    const texts = new Map<number, string>();
    const chunks = new Map<string, Buffer | null>();
    const first = entries[0]?.seq ?? 0;
    const last = entries.at(-1)?.seq ?? 0;
    for (const client of [...this.#clients]) {
      if (!client.following) continue;
      // Only one that came while these were on their way has read part of them already.
      const fresh = client.position < first;
      let chunk = fresh ? chunks.get(client.filter) : undefined;
      if (chunk === undefined) {
        const mine = entries.filter(({ seq, kind }) => seq > client.position && client.kinds.includes(kind));
        chunk = mine.length === 0 ? null : Buffer.from(mine.map((entry) => textOnce(texts, entry)).join(''));
        if (fresh) chunks.set(client.filter, chunk);
      }
      client.position = Math.max(client.position, last);
      if (chunk !== null) this.#write(client, chunk);
    }
    this.counts.events += texts.size;
  }

  /** Reads to a client what it missed, page by page as fast as it takes them. */
  #catchUp(client: Client): void {
    if (!this.#clients.has(client)) return;
    try {
      const head = this.#journal.head();
      const entries = this.#journal.read({ after: client.position, limit: PAGE, kinds: client.kinds });
      if (entries.length > 0) this.#write(client, entries.map(entryText).join(''));
      if (entries.length < PAGE) {
        client.position = head;
        client.following = true;
        return;
      }
      client.position = entries.at(-1)?.seq ?? head;
      client.replayed += entries.length;
      if (client.replayed >= REPLAY) {
        client.position = head;
        client.following = true;
        this.#write(client, resetText(head));
        return;
      }
      if (client.raw.writableNeedDrain) client.raw.once('drain', () => this.#catchUp(client));
      else setImmediate(() => this.#catchUp(client));
    } catch (thrown) {
      this.#log.error({ err: thrown }, 'a live stream could not be read from the journal');
      this.#remove(client);
      client.raw.destroy();
    }
  }

  #beat(): void {
    const bytes = Buffer.from(`: ${HEARTBEAT_MS / 1_000} s\n\n${eventText('state', this.#state())}`);
    const now = this.#clock.mono();
    for (const client of [...this.#clients]) {
      if (!this.#alive(client.session)) {
        this.#end(client, 'session');
        continue;
      }
      client.stalledSince = client.raw.writableLength > 0 ? (client.stalledSince ?? now) : null;
      if (client.stalledSince !== null && now - client.stalledSince >= STALLED_MS) {
        this.#drop(client);
        continue;
      }
      this.#write(client, bytes);
      // Keeps a quiet client's Last-Event-ID near the head, so that coming back reads little.
      if (client.following) this.#write(client, `id: ${client.position}\n\n`);
    }
  }

  #write(client: Client, chunk: string | Buffer): void {
    if (!this.#clients.has(client)) return;
    // Looked at before: whoever has read all until now may be told much at once.
    if (client.raw.writableLength > UNREAD) this.#drop(client);
    else client.raw.write(chunk);
  }

  #drop(client: Client): void {
    this.counts.dropped += 1;
    this.#log.warn(
      { unread: client.raw.writableLength, position: client.position },
      'a live stream that is not read was let go',
    );
    this.#remove(client);
    client.raw.destroy();
  }

  #end(client: Client, reason: string): void {
    this.#remove(client);
    client.raw.end(eventText('ended', { reason }));
  }

  #remove(client: Client): void {
    this.#clients.delete(client);
    this.counts.clients = this.#clients.size;
  }
}

/** An entry as the page and other programs get it. */
export function entryView(entry: Entry): Omit<Entry, 'boot' | 'mono'> {
  const { seq, id, kind, actor, subject, wall, clock, deviceTime, lane, body } = entry;
  return { seq, id, kind, actor, subject, wall, clock, deviceTime, lane, body };
}

const entryText = (entry: Entry): string => `id: ${entry.seq}\ndata: ${JSON.stringify(entryView(entry))}\n\n`;

function textOnce(texts: Map<number, string>, entry: Entry): string {
  let text = texts.get(entry.seq);
  if (text === undefined) {
    text = entryText(entry);
    texts.set(entry.seq, text);
  }
  return text;
}

const eventText = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** Too much was missed, or it was another journal: read the lists again, and go on from `seq`. */
const resetText = (seq: number): string => `id: ${seq}\n${eventText('reset', { seq })}`;
