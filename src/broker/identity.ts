import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { Attempts } from './attempts.ts';
import type { Refusal } from './counters.ts';
import { LIMITS } from './limits.ts';
import type { BrokerCa, BrokerDevice, BrokerRegistry } from './ports.ts';

/** Who somebody says to be, and by what. */
export interface Claim {
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly address: string;
  /** The certificate shown, if any; `trusted` when this box's CA signed it and it is in its time. */
  readonly certificate: { readonly name: string; readonly serial: string; readonly trusted: boolean } | null;
  /** Whether there is still somebody waiting for the answer. */
  readonly gone: () => boolean;
}

export type Verdict<D extends BrokerDevice> =
  | { readonly device: D; readonly serial: string | null }
  | { readonly refused: Refusal; readonly name: string };

export interface IdentityParts<D extends BrokerDevice> {
  readonly registry: BrokerRegistry<D>;
  readonly ca: Pick<BrokerCa, 'revoked'> | null;
  readonly clock: Clock;
  /** Wrong secrets a minute, of one address and of one user name. */
  readonly loginAttempts: number;
  readonly checkSecret: (secret: string, hash: string) => Promise<boolean>;
  /** A hash nobody's secret fits, for as long as no device's has been seen. */
  readonly nobodysHash: string;
}

/** A secret is bytes of at most this many; more is not one of ours. */
const LONGEST_SECRET = 512;
const REMEMBERED_WRONG = 1_000;

/**
 * Authentication: user name = device id and secret, or a certificate whose common name is the device id. A secret that
 * was right once is remembered by its keyed digest, so that 2,000 doors that come back at once cost no scrypt; one that
 * was wrong is remembered too. An unknown user and a wrong secret cannot be told apart, by answer or by time.
 */
export class Identity<D extends BrokerDevice> {
  readonly #parts: IdentityParts<D>;
  readonly #addresses: Attempts;
  readonly #users: Attempts;
  /** Of this process only: a digest found in a core dump is of no use elsewhere. */
  readonly #pepper = randomBytes(32);
  readonly #right = new Map<string, { hash: string; digest: Buffer }>();
  readonly #wrong = new Set<string>();
  /** What an unknown user's secret is compared with, so that it takes as long as a known one's. */
  #lastHash: string;
  readonly #queue: (() => void)[] = [];
  /** Fire buttons and their like: after a power cut they must not stand in line behind two thousand doors. */
  readonly #urgent: (() => void)[] = [];
  #checking = 0;

  constructor(parts: IdentityParts<D>) {
    this.#parts = parts;
    this.#lastHash = parts.nobodysHash;
    this.#addresses = new Attempts(parts.clock, parts.loginAttempts);
    this.#users = new Attempts(parts.clock, parts.loginAttempts);
  }

  async verify(claim: Claim): Promise<Verdict<D>> {
    const { username, password, certificate } = claim;
    if (certificate !== null) return this.#byCertificate(claim, certificate);
    if (username === undefined || username === '' || password === undefined) {
      return { refused: 'no-login', name: username ?? '' };
    }
    const device = this.#parts.registry.get(username);
    const hash = device?.secretHash ?? null;
    if (password.length > LONGEST_SECRET) return this.#failed(claim, device);
    const digest = createHmac('sha256', this.#pepper).update(password).digest();
    const known = this.#right.get(username);
    if (known !== undefined && known.hash === hash && timingSafeEqual(known.digest, digest)) {
      return this.#admitted(device, claim);
    }
    await this.#turn(this.#parts.registry.lifeSafety(username) ? this.#urgent : this.#queue);
    try {
      if (claim.gone()) return { refused: 'no-login', name: username };
      if (this.#addresses.exhausted(claim.address) || this.#users.exhausted(username)) {
        return { refused: 'too-many-attempts', name: username };
      }
      const guess = `${username} ${digest.toString('base64')} ${hash}`;
      if (this.#wrong.has(guess)) return this.#failed(claim, device);
      this.#lastHash = hash ?? this.#lastHash;
      const right = await this.#parts.checkSecret(password.toString('utf8'), this.#lastHash);
      if (!right || hash === null) {
        if (this.#wrong.size >= REMEMBERED_WRONG) this.#wrong.clear();
        this.#wrong.add(guess);
        return this.#failed(claim, device);
      }
      this.#right.set(username, { hash, digest });
      return this.#admitted(device, claim);
    } finally {
      const next = this.#urgent.shift() ?? this.#queue.shift();
      if (next === undefined) this.#checking -= 1;
      else next();
    }
  }

  /** Whether a device that logged in before would still be let in. @param hash its secret's hash at that time */
  stillWelcome(id: string, hash: string | null, serial: string | null): boolean {
    const device = this.#parts.registry.get(id);
    if (device === null || !device.enabled || device.hub !== null) return false;
    return serial === null ? device.secretHash === hash : !(this.#parts.ca?.revoked(serial) ?? true);
  }

  #byCertificate(claim: Claim, { name, serial, trusted }: NonNullable<Claim['certificate']>): Verdict<D> {
    const { username, address } = claim;
    const device = this.#parts.registry.get(name);
    const other = username !== undefined && username !== '' && username !== name;
    if (!trusted || other || (this.#parts.ca?.revoked(serial) ?? true)) {
      this.#addresses.wrong(address);
      return { refused: 'certificate', name };
    }
    if (device === null) return { refused: 'unknown', name };
    return device.enabled && device.hub === null ? { device, serial } : { refused: 'disabled', name };
  }

  #admitted(device: D | null, claim: Claim): Verdict<D> {
    const name = claim.username ?? '';
    if (device === null) return this.#failed(claim, device);
    return device.enabled && device.hub === null ? { device, serial: null } : { refused: 'disabled', name };
  }

  #failed(claim: Claim, device: D | null): Verdict<D> {
    const name = claim.username ?? '';
    this.#addresses.wrong(claim.address);
    this.#users.wrong(name);
    return { refused: device === null ? 'unknown' : 'wrong-secret', name };
  }

  /** Secrets are checked a few at a time: the rest of the cores is for alarms. */
  async #turn(queue: (() => void)[]): Promise<void> {
    if (this.#checking < LIMITS.checksAtOnce) {
      this.#checking += 1;
      return;
    }
    await new Promise<void>((resolve) => {
      queue.push(resolve);
    });
  }
}
