import { randomBytes } from 'node:crypto';
import { checkSecret, hashSecret, type SecretKind } from '../devices/secret.ts';
import type { Change, Draft } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Role } from './roles.ts';

/** Shortest password a person may choose, characters. */
export const PASSWORD_MIN = 10;
/** Hashing a password takes some 80 ms and 32 MiB of one of four threads that also read files. */
const CHECKS_AT_ONCE = 2;
/** At the change of shifts many sign in at once; these wait, more are sent away. */
const CHECKS_WAITING = 50;
const ACCOUNTS = 500;
const FIRST = 'admin';
/** No 0/O, 1/l: a generated password is read from a screen and typed. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

export interface Account {
  /** What the person types to sign in. */
  readonly name: string;
  /** What others see. */
  readonly display: string;
  readonly role: Role;
  /** The password was given by somebody else and must be replaced before anything else. */
  readonly mustChange: boolean;
  readonly disabled: boolean;
  /** ms since the epoch */
  readonly created: number;
  readonly changed: number;
}

export interface NewAccount {
  readonly name: string;
  readonly display: string;
  readonly role: Role;
  /** Without one it is generated and given back once. */
  readonly password?: string | undefined;
}

export interface AccountPatch {
  readonly display?: string | undefined;
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
}

interface Stored {
  readonly account: Account;
  readonly hash: string;
}

interface Row {
  name: string;
  display: string;
  role: Role;
  hash: string;
  must_change: number;
  disabled: number;
  created: number;
  changed: number;
}

/**
 * The people who may sign in. Every change is one transaction with its `account.changed` entry; whoever's rights or
 * password changed is signed out everywhere.
 */
export class Accounts {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #hash: (password: string) => Promise<string>;
  readonly #all = new Map<string, Stored>();
  readonly #listeners = new Set<(name: string, keep: Buffer | null) => void>();
  /** Changes go one after the other: two that each leave one administrator must not leave none together. */
  #turn: Promise<unknown> = Promise.resolve();
  #checking = 0;
  readonly #waiting: (() => void)[] = [];
  /** What a password for an unknown name is compared with, so that the answer takes as long. */
  #decoy: Promise<string> | null = null;

  private constructor(journal: Journal, clock: Clock, hashedAs: SecretKind) {
    this.#journal = journal;
    this.#clock = clock;
    this.#hash = (password) => hashSecret(password, hashedAs);
  }

  /**
   * @param parts.hashedAs what a password costs to hash; only a test that signs in many people says anything
   * @throws QuanweiError STORAGE_*
   */
  static async load(parts: { journal: Journal; clock: Clock; hashedAs?: SecretKind }): Promise<Accounts> {
    const accounts = new Accounts(parts.journal, parts.clock, parts.hashedAs ?? 'person');
    accounts.#load();
    return accounts;
  }

  #load(): void {
    for (const row of this.#journal.select<Row>('SELECT * FROM accounts ORDER BY name')) {
      const { hash, must_change, disabled, ...rest } = row;
      this.#all.set(row.name, {
        account: { ...rest, mustChange: must_change === 1, disabled: disabled === 1 },
        hash,
      });
    }
  }

  /**
   * On a box without accounts: makes the first administrator.
   * @param password chosen by whoever installs; without one it is generated and must be changed at the first sign-in
   * @returns the login to show once, or `null` when there are accounts already
   */
  async bootstrap(password?: string): Promise<{ name: string; password: string } | null> {
    if (this.#all.size > 0) return null;
    const draft = { name: FIRST, display: '管理员', role: 'admin', password } as const;
    const made = await this.#inTurn(() => this.#insert(draft, password === undefined, 'system'));
    return { name: FIRST, password: made.password };
  }

  all(): Account[] {
    return [...this.#all.values()].map(({ account }) => account);
  }

  get(name: string): Account | null {
    return this.#all.get(name)?.account ?? null;
  }

  /** Calls `fn` when somebody's sessions end because the account changed. @param keep the session that stays */
  onChange(fn: (name: string, keep: Buffer | null) => void): Cancel {
    this.#listeners.add(fn);
    return { cancel: () => void this.#listeners.delete(fn) };
  }

  /** @throws QuanweiError BAD_CREDENTIALS; TOO_MANY when too many passwords wait to be checked */
  async check(name: string, password: string): Promise<Account> {
    if (this.#waiting.length >= CHECKS_WAITING) {
      throw new QuanweiError('TOO_MANY', '正在登录的人太多，请稍候 · too many sign-ins at once; try again');
    }
    if (this.#checking < CHECKS_AT_ONCE) this.#checking += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      const stored = this.#all.get(name);
      this.#decoy ??= this.#hash(randomBytes(16).toString('hex'));
      const right = await checkSecret(password, stored?.hash ?? (await this.#decoy));
      if (stored === undefined || !right || stored.account.disabled) {
        throw new QuanweiError('BAD_CREDENTIALS', '用户名或密码错误 · name or password is wrong');
      }
      return stored.account;
    } finally {
      // The place is handed on, so that nobody who comes now takes it from who waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#checking -= 1;
      else next();
    }
  }

  /** @throws QuanweiError CONFLICT when the name is taken, TOO_MANY, STORAGE_* */
  create(draft: NewAccount, actor: string): Promise<{ account: Account; password: string }> {
    return this.#inTurn(() => this.#insert(draft, true, actor));
  }

  async #insert(
    draft: NewAccount,
    mustChange: boolean,
    actor: string,
  ): Promise<{ account: Account; password: string }> {
    const { name, display, role } = draft;
    if (this.#all.has(name)) throw new QuanweiError('CONFLICT', `用户 ${name} 已存在 · the account exists`);
    if (this.#all.size >= ACCOUNTS) throw new QuanweiError('TOO_MANY', `at most ${ACCOUNTS} accounts`);
    const password = draft.password ?? generatePassword();
    checkStrength(password);
    const now = this.#clock.wall();
    const hash = await this.#hash(password);
    const account: Account = { name, display, role, mustChange, disabled: false, created: now, changed: now };
    await this.#journal.append(
      [entry(actor, name, 'created', { display, role })],
      [
        {
          sql: 'INSERT INTO accounts VALUES (?, ?, ?, ?, ?, 0, ?, ?)',
          params: [name, display, role, hash, mustChange ? 1 : 0, now, now],
        },
      ],
    );
    this.#all.set(name, { account, hash });
    return { account, password };
  }

  /** @throws QuanweiError NOT_FOUND; CONFLICT when nobody could administer any more; STORAGE_* */
  update(name: string, patch: AccountPatch, actor: string): Promise<Account> {
    return this.#inTurn(() => this.#update(name, patch, actor));
  }

  async #update(name: string, patch: AccountPatch, actor: string): Promise<Account> {
    const { account: before, hash } = this.#stored(name);
    const account: Account = {
      ...before,
      display: patch.display ?? before.display,
      role: patch.role ?? before.role,
      disabled: patch.disabled ?? before.disabled,
      changed: this.#clock.wall(),
    };
    if (account.role !== 'admin' || account.disabled) this.#keepOneAdmin(name);
    const rights = account.role !== before.role || account.disabled !== before.disabled;
    const { display, role, disabled } = account;
    await this.#journal.append(
      [entry(actor, name, 'updated', { display, role, disabled })],
      [
        {
          sql: 'UPDATE accounts SET display = ?, role = ?, disabled = ?, changed = ? WHERE name = ?',
          params: [display, role, disabled ? 1 : 0, account.changed, name],
        },
        ...(rights ? [endSessions(name, null)] : []),
      ],
    );
    this.#all.set(name, { account, hash });
    if (rights) this.#tell(name, null);
    return account;
  }

  /** @throws QuanweiError NOT_FOUND; CONFLICT when nobody could administer any more; STORAGE_* */
  remove(name: string, actor: string): Promise<void> {
    return this.#inTurn(() => this.#remove(name, actor));
  }

  async #remove(name: string, actor: string): Promise<void> {
    this.#stored(name);
    this.#keepOneAdmin(name);
    await this.#journal.append(
      [entry(actor, name, 'removed', {})],
      [{ sql: 'DELETE FROM accounts WHERE name = ?', params: [name] }, endSessions(name, null)],
    );
    this.#all.delete(name);
    this.#tell(name, null);
  }

  /**
   * A person changes the own password.
   * @param keep the session it is done in; all others end
   * @throws QuanweiError BAD_CREDENTIALS when `current` is wrong, BAD_REQUEST when `next` is weak, STORAGE_*
   */
  async changePassword(name: string, current: string, next: string, keep: Buffer): Promise<Account> {
    await this.check(name, current);
    checkStrength(next);
    if (current === next) {
      throw new QuanweiError('BAD_REQUEST', '新密码不能与旧密码相同 · the new password is the old one');
    }
    const hash = await this.#hash(next);
    return this.#inTurn(() => this.#replaceHash(name, hash, false, `user:${name}`, keep));
  }

  /** An administrator gives somebody a new password, to be changed at the next sign-in. @throws QuanweiError NOT_FOUND */
  async resetPassword(name: string, actor: string): Promise<string> {
    this.#stored(name);
    const password = generatePassword();
    const hash = await this.#hash(password);
    await this.#inTurn(() => this.#replaceHash(name, hash, true, actor, null));
    return password;
  }

  async #replaceHash(name: string, hash: string, must: boolean, actor: string, keep: Buffer | null): Promise<Account> {
    const account = { ...this.#stored(name).account, mustChange: must, changed: this.#clock.wall() };
    await this.#journal.append(
      [entry(actor, name, must ? 'password reset' : 'password set', {})],
      [
        {
          sql: 'UPDATE accounts SET hash = ?, must_change = ?, changed = ? WHERE name = ?',
          params: [hash, must ? 1 : 0, account.changed, name],
        },
        endSessions(name, keep),
      ],
    );
    this.#all.set(name, { account, hash });
    this.#tell(name, keep);
    return account;
  }

  #stored(name: string): Stored {
    const stored = this.#all.get(name);
    if (stored === undefined) throw new QuanweiError('NOT_FOUND', `没有用户 ${name} · there is no such account`);
    return stored;
  }

  #keepOneAdmin(name: string): void {
    const others = this.all().filter((other) => other.name !== name && other.role === 'admin' && !other.disabled);
    if (this.get(name)?.role === 'admin' && others.length === 0) {
      throw new QuanweiError('CONFLICT', '至少保留一名管理员 · the last administrator must stay', {
        hint: 'make somebody else an administrator first',
      });
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #tell(name: string, keep: Buffer | null): void {
    for (const fn of this.#listeners) fn(name, keep);
  }
}

function generatePassword(): string {
  const letters = [...randomBytes(16)].map((byte) => ALPHABET[byte % ALPHABET.length]);
  return [0, 4, 8, 12].map((at) => letters.slice(at, at + 4).join('')).join('-');
}

function checkStrength(password: string): void {
  if (password.length < PASSWORD_MIN || new Set(password).size < 4) {
    throw new QuanweiError(
      'BAD_REQUEST',
      `密码至少 ${PASSWORD_MIN} 位且不能过于简单 · at least ${PASSWORD_MIN} characters, not all the same`,
      { where: 'password' },
    );
  }
}

const entry = (actor: string, subject: string, what: string, more: Record<string, unknown>): Draft => ({
  kind: 'account.changed',
  actor,
  subject: `account:${subject}`,
  body: { what, account: subject, ...more },
});

const endSessions = (name: string, keep: Buffer | null): Change => ({
  sql: 'DELETE FROM sessions WHERE account = ? AND key IS NOT ?',
  params: [name, keep],
});
