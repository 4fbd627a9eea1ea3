import { createHash, randomBytes } from 'node:crypto';
import type { Change, Draft } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { Account, Accounts } from './accounts.ts';

/** A session nobody used for so long ends. An open live board counts as use. */
export const IDLE_MS = 60 * 60_000;
const PER_ACCOUNT = 20;
const SESSIONS = 1_000;
/** How often the last use of a session is written down; more often would only wear the disk. */
const NOTE_USE_MS = 10 * 60_000;
const SWEEP_MS = 60_000;
/** Ends of sessions that could not be written because the disk failed; tried again when it works. */
const OWED = 2_000;

export interface Session {
  /** sha256 of the token, hex; names the session inside the program. */
  readonly key: string;
  readonly account: string;
  /** ms since the epoch */
  readonly opened: number;
  readonly ends: number;
  readonly address: string;
  readonly agent: string;
}

export interface SignedIn {
  readonly session: Session;
  readonly account: Account;
}

interface Live extends Session {
  /** Monotonic times: a stepped wall clock neither ends a session nor prolongs it. */
  readonly endsAt: number;
  usedAt: number;
  notedAt: number;
}

interface Row {
  key: Buffer;
  account: string;
  opened: number;
  used: number;
  ends: number;
  address: string;
  agent: string;
}

/** Who is signed in. The token exists only in the cookie; here and on disk there is its sha256. */
export class Sessions {
  readonly #journal: Journal;
  readonly #accounts: Accounts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #lifetimeMs: number;
  readonly #live = new Map<string, Live>();
  readonly #listeners = new Set<(key: string) => void>();
  readonly #timers: Cancel[];
  #owed: { drafts: Draft[]; changes: Change[] } = { drafts: [], changes: [] };

  constructor(parts: { journal: Journal; accounts: Accounts; clock: Clock; log: Log; lifetimeMs: number }) {
    this.#journal = parts.journal;
    this.#accounts = parts.accounts;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#lifetimeMs = parts.lifetimeMs;
    const [wall, mono] = [parts.clock.wall(), parts.clock.mono()];
    for (const row of parts.journal.select<Row>('SELECT * FROM sessions ORDER BY opened')) {
      const { key, used, ...rest } = row;
      const left = Math.min(row.ends - wall, this.#lifetimeMs);
      const idle = Math.max(0, wall - used);
      // What was not written down of its use counts for it: at worst it lasts ten minutes longer.
      const usedAt = mono - Math.max(0, idle - NOTE_USE_MS);
      this.#live.set(key.toString('hex'), {
        ...rest,
        key: key.toString('hex'),
        endsAt: mono + left,
        usedAt,
        notedAt: mono,
      });
    }
    this.#timers = [
      parts.clock.every(SWEEP_MS, () => this.#sweep()),
      parts.accounts.onChange((name, keep) => this.#forget(name, keep?.toString('hex') ?? null)),
      parts.journal.onState(({ ok }) => {
        if (ok) this.#settle();
      }),
    ];
    this.#sweep();
  }

  get size(): number {
    return this.#live.size;
  }

  /** Calls `fn` with the key of every session that ends, however it ends. */
  onEnd(fn: (key: string) => void): Cancel {
    this.#listeners.add(fn);
    return { cancel: () => void this.#listeners.delete(fn) };
  }

  /**
   * Opens a session and records it. While the disk fails it opens all the same, unrecorded until the disk works: the
   * people who must see that storage failed have to be able to sign in.
   * @returns the token for the cookie: 256 random bits
   * @throws QuanweiError TOO_MANY
   */
  async open(account: Account, address: string, agent: string): Promise<{ token: string; session: Session }> {
    const mine = [...this.#live.values()].filter((session) => session.account === account.name);
    const oldest = mine.length >= PER_ACCOUNT ? mine.reduce((a, b) => (a.usedAt < b.usedAt ? a : b)) : null;
    if (oldest === null && this.#live.size >= SESSIONS) {
      throw new QuanweiError('TOO_MANY', '登录的人太多 · too many people are signed in');
    }
    const token = randomBytes(32).toString('base64url');
    const hash = keyOf(token);
    const [wall, mono] = [this.#clock.wall(), this.#clock.mono()];
    const session: Live = {
      key: hash.toString('hex'),
      account: account.name,
      opened: wall,
      ends: wall + this.#lifetimeMs,
      address,
      agent: agent.slice(0, 200),
      endsAt: mono + this.#lifetimeMs,
      usedAt: mono,
      notedAt: mono,
    };
    this.#live.set(session.key, session);
    await this.#record(
      [
        {
          kind: 'session.opened',
          actor: `user:${account.name}`,
          subject: `account:${account.name}`,
          body: { account: account.name, address, agent: session.agent },
        },
      ],
      [
        {
          sql: 'INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)',
          params: [hash, account.name, wall, wall, session.ends, address, session.agent],
        },
      ],
    );
    if (oldest !== null) await this.end(oldest.key);
    return { token, session };
  }

  /** Whose token this is; marks the session as used. `null` for none, an ended one, or a disabled account. */
  find(token: string): SignedIn | null {
    if (token.length !== 43) return null;
    return this.use(keyOf(token).toString('hex'));
  }

  /** As `find`, by key. */
  use(key: string): SignedIn | null {
    const session = this.#live.get(key);
    if (session === undefined) return null;
    const account = this.#accounts.get(session.account);
    const mono = this.#clock.mono();
    if (account === null || account.disabled || expired(session, mono)) {
      this.end(key).catch((thrown: unknown) => this.#log.warn({ err: thrown }, 'could not end a session'));
      return null;
    }
    session.usedAt = mono;
    if (mono - session.notedAt > NOTE_USE_MS) {
      session.notedAt = mono;
      const change = {
        sql: 'UPDATE sessions SET used = ? WHERE key = ?',
        params: [this.#clock.wall(), Buffer.from(key, 'hex')],
      };
      this.#journal
        .write([change])
        .catch((thrown: unknown) => this.#log.debug({ err: thrown }, 'use of a session not noted'));
    }
    return { session, account };
  }

  /** Whether anybody of this account is signed in from there. */
  knows(account: string, address: string): boolean {
    for (const session of this.#live.values()) {
      if (session.account === account && session.address === address) return true;
    }
    return false;
  }

  /** Ends a session, at once; on disk as soon as the disk works. */
  async end(key: string): Promise<void> {
    if (!this.#live.delete(key)) return;
    this.#tell(key);
    await this.#record([], [{ sql: 'DELETE FROM sessions WHERE key = ?', params: [Buffer.from(key, 'hex')] }]);
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  #forget(account: string, keep: string | null): void {
    for (const session of [...this.#live.values()]) {
      if (session.account !== account || session.key === keep) continue;
      this.#live.delete(session.key);
      this.#tell(session.key);
    }
  }

  #sweep(): void {
    const mono = this.#clock.mono();
    for (const session of [...this.#live.values()]) {
      if (!expired(session, mono)) continue;
      this.end(session.key).catch((thrown: unknown) => this.#log.warn({ err: thrown }, 'could not end a session'));
    }
  }

  async #record(drafts: Draft[], changes: Change[]): Promise<void> {
    try {
      await this.#journal.append(drafts, changes);
    } catch (thrown) {
      if (!(thrown instanceof QuanweiError && thrown.code.startsWith('STORAGE_'))) throw thrown;
      if (this.#owed.changes.length >= OWED) throw thrown;
      this.#owed.drafts.push(...drafts);
      this.#owed.changes.push(...changes);
    }
  }

  #settle(): void {
    const { drafts, changes } = this.#owed;
    if (changes.length === 0) return;
    this.#owed = { drafts: [], changes: [] };
    this.#record(drafts, changes).catch((thrown: unknown) =>
      this.#log.error({ err: thrown }, 'sessions of the time without storage could not be recorded'),
    );
  }

  #tell(key: string): void {
    for (const fn of this.#listeners) fn(key);
  }
}

const keyOf = (token: string): Buffer => createHash('sha256').update(token).digest();

const expired = (session: Live, mono: number): boolean => mono >= session.endsAt || mono - session.usedAt > IDLE_MS;
