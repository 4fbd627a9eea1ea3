import { Attempts } from '../broker/attempts.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';

/** Wrong passwords a minute from one address, and for one account from addresses it is not signed in from. */
const PER_ADDRESS = 10;
const PER_ACCOUNT = 20;
/** Journal entries a minute about refused sign-ins; the rest are counted in the next one. */
const ENTRIES_PER_MINUTE = 20;
const MINUTE = 60_000;

/**
 * Holds back guessing of passwords. An address that was wrong too often waits. An account that is guessed at from many
 * addresses is closed to strangers, yet stays open to addresses its owner is signed in from: nobody can lock out the
 * guard by typing a wrong password.
 */
export class SignInAttempts {
  readonly #addresses: Attempts;
  readonly #accounts: Attempts;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #known: (account: string, address: string) => boolean;
  #minute = { began: Number.NEGATIVE_INFINITY, entries: 0 };
  #unrecorded = 0;
  refused = 0;

  constructor(parts: {
    journal: Journal;
    clock: Clock;
    log: Log;
    known: (account: string, address: string) => boolean;
  }) {
    this.#addresses = new Attempts(parts.clock, PER_ADDRESS);
    this.#accounts = new Attempts(parts.clock, PER_ACCOUNT);
    this.#journal = parts.journal;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#known = parts.known;
  }

  /** Before the password is looked at. @throws QuanweiError TOO_MANY */
  admit(name: string, address: string): void {
    const guessed = this.#accounts.exhausted(name) && !this.#known(name, address);
    if (!this.#addresses.exhausted(address) && !guessed) return;
    this.#refuse(name, address, 'too many attempts');
    throw new QuanweiError('TOO_MANY', '尝试次数过多，请一分钟后再试 · too many wrong passwords; wait a minute');
  }

  wrong(name: string, address: string): void {
    this.#addresses.wrong(address);
    this.#accounts.wrong(name);
    this.#refuse(name, address, 'wrong name or password');
  }

  #refuse(name: string, address: string, reason: string): void {
    this.refused += 1;
    const mono = this.#clock.mono();
    if (mono - this.#minute.began >= MINUTE) this.#minute = { began: mono, entries: 0 };
    if (this.#minute.entries >= ENTRIES_PER_MINUTE) {
      this.#unrecorded += 1;
      return;
    }
    this.#minute.entries += 1;
    const unrecorded = this.#unrecorded;
    this.#unrecorded = 0;
    const body = { account: name, address, reason, ...(unrecorded > 0 ? { furtherBefore: unrecorded } : {}) };
    this.#journal
      .append([{ kind: 'session.refused', actor: 'system', subject: null, body }])
      .catch((thrown: unknown) => this.#log.warn({ err: thrown, address }, 'a refused sign-in could not be recorded'));
  }
}
