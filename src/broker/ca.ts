import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import { iso } from '../kernel/clock.ts';
import { writeDurably } from '../kernel/durable-file.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Issued, Pair } from './certificates.ts';
import type { BrokerCa } from './ports.ts';

const DAY = 86_400_000;
/** The CA lives as long as the box; a device's certificate as long as most devices do. */
const AUTHORITY_DAYS = 30 * 365;
const DEVICE_DAYS = 10 * 365;
const SERVER_DAYS = 800;
const RENEW_DAYS = 30;
const LIST_DAYS = 365;
/** A clock that was never set must not make certificates that are over before it is. */
const NOW_AT_LEAST = Date.UTC(2026, 0, 1);

const Certificate = z.strictObject({
  serial: z.string().regex(/^[0-9a-f]{1,40}$/),
  /** Who the holder is. */
  device: z.string().max(64),
  issued: z.string(),
  expires: z.string(),
  /** When it was revoked; `null` while it holds. */
  revoked: z.string().nullable(),
  reason: z.string().max(200).nullable(),
});
const Ledger = z.strictObject({ certificates: z.array(Certificate).max(100_000) });

/** A certificate this CA has issued to a device; times in ISO 8601. */
export type IssuedCertificate = z.output<typeof Certificate>;

interface LedgerAsRead {
  /** Which file it was: every change makes a new one. */
  readonly file: string;
  readonly certificates: readonly IssuedCertificate[];
  readonly revoked: ReadonlySet<string>;
}

/**
 * The certificate authority in `dir`. Nothing is made before it is needed, so a box without `mqtts://` has none.
 * @param data the data directory; the CA is in `ca/` below it
 */
export async function openAuthority(data: string, clock: Clock): Promise<Authority> {
  return new Authority(join(data, 'ca'), clock);
}

/**
 * The box's own certificate authority, in plain files: `ca.crt` (give it to devices), `ca.key`, `server.crt`,
 * `server.key`, `issued.json` and `revoked.crl.pem`. Keys are readable by their owner only, and a device's key is
 * handed out once and kept nowhere. Another process (`quanwei ca revoke`) may change the files: a running gateway
 * looks at them again.
 */
export class Authority implements BrokerCa {
  readonly #dir: string;
  readonly #clock: Clock;
  #ledger: LedgerAsRead | null = null;

  constructor(dir: string, clock: Clock) {
    this.#dir = dir;
    this.#clock = clock;
  }

  get dir(): string {
    return this.#dir;
  }

  /** The CA's own certificate, PEM; made now if there is none. @throws QuanweiError STORAGE_UNAVAILABLE */
  async certificate(): Promise<string> {
    return (await this.#authority()).cert;
  }

  /** What has been made so far, PEM; makes nothing. */
  look(): { readonly ca: string | null; readonly server: string | null } {
    const read = (name: string) => (existsSync(this.#file(name)) ? readFileSync(this.#file(name), 'utf8') : null);
    return { ca: read('ca.crt'), server: read('server.crt') };
  }

  /**
   * What this box shows its clients, made anew when a name is missing or its end is near.
   * @param hosts names and addresses clients know this box by
   */
  async serverIdentity(hosts: readonly string[]): Promise<Pair> {
    const authority = await this.#authority();
    const [certFile, keyFile] = [this.#file('server.crt'), this.#file('server.key')];
    if (existsSync(certFile) && existsSync(keyFile)) {
      const pair = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
      if (this.#stillServes(pair.cert, authority.cert, hosts)) return pair;
    }
    const { issueServer } = await import('./certificates.ts');
    const { cert, key } = await issueServer(authority, hosts, this.#after(SERVER_DAYS));
    // Key first: a certificate without its key would be found fit the next time.
    this.#write('server.key', key, 0o600);
    this.#write('server.crt', cert, 0o644);
    return { cert, key };
  }

  /**
   * A certificate with which `device` logs in without a secret. Its key is in the answer and nowhere else.
   * @throws QuanweiError BAD_REQUEST when it is no device id, STORAGE_UNAVAILABLE
   */
  async issue(device: string, days = DEVICE_DAYS): Promise<Issued & { ca: string }> {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(device)) {
      throw new QuanweiError('BAD_REQUEST', '不是设备编号 · not a device id', { where: device.slice(0, 64) });
    }
    const authority = await this.#authority();
    const expires = this.#after(days);
    const { issueClient } = await import('./certificates.ts');
    const issued = await issueClient(authority, device, expires);
    this.#save([
      ...this.list(),
      {
        serial: plain(issued.serial),
        device,
        issued: iso(this.#clock.wall()),
        expires: expires.toISOString(),
        revoked: null,
        reason: null,
      },
    ]);
    return { ...issued, ca: authority.cert };
  }

  /** Every certificate issued to a device, oldest first. */
  list(): IssuedCertificate[] {
    return [...this.#read().certificates];
  }

  /**
   * From now on the certificate opens nothing; a connection made with it is closed within 10 s.
   * @param which its serial number, or a device id for all that the device has
   * @returns those that were revoked now
   * @throws QuanweiError NOT_FOUND, CONFLICT when all are revoked already, STORAGE_UNAVAILABLE
   */
  async revoke(which: string, reason: string | null = null): Promise<IssuedCertificate[]> {
    const meant = this.list().filter(({ serial, device }) => serial === plain(which) || device === which);
    if (meant.length === 0)
      throw new QuanweiError('NOT_FOUND', `没有给 ${which} 签发过证书 · no certificate was issued for it`);
    const holding = meant.filter(({ revoked }) => revoked === null).map(({ serial }) => serial);
    if (holding.length === 0) throw new QuanweiError('CONFLICT', `${which} 已吊销 · it is revoked already`);
    const now = iso(this.#clock.wall());
    const after = this.list().map((one) => (holding.includes(one.serial) ? { ...one, revoked: now, reason } : one));
    this.#save(after);
    await this.revocationList();
    return after.filter(({ serial }) => holding.includes(serial));
  }

  /** @param serial hexadecimal, in either case */
  revoked(serial: string): boolean {
    return this.#read().revoked.has(plain(serial));
  }

  /** The signed list of revoked certificates, PEM; also left in `revoked.crl.pem`. */
  async revocationList(): Promise<string> {
    const authority = await this.#authority();
    const { makeRevocationList } = await import('./certificates.ts');
    const revoked = this.list().flatMap(({ serial, revoked: at }) =>
      at === null ? [] : [{ serial, at: new Date(at) }],
    );
    const pem = await makeRevocationList(authority, revoked, new Date(this.#clock.wall()), this.#after(LIST_DAYS));
    this.#write('revoked.crl.pem', pem, 0o644);
    return pem;
  }

  async #authority(): Promise<Pair> {
    const [certFile, keyFile] = [this.#file('ca.crt'), this.#file('ca.key')];
    if (existsSync(certFile) && existsSync(keyFile)) {
      return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    }
    const { makeAuthority } = await import('./certificates.ts');
    const pair = await makeAuthority('Quanwei CA', this.#after(AUTHORITY_DAYS));
    this.#write('ca.key', pair.key, 0o600);
    this.#write('ca.crt', pair.cert, 0o644);
    return pair;
  }

  #stillServes(cert: string, authority: string, hosts: readonly string[]): boolean {
    const certificate = new X509Certificate(cert);
    return (
      certificate.verify(new X509Certificate(authority).publicKey) &&
      Date.parse(certificate.validTo) - this.#now() > RENEW_DAYS * DAY &&
      hosts.every((host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined)
    );
  }

  #now(): number {
    return Math.max(this.#clock.wall(), NOW_AT_LEAST);
  }

  #after(days: number): Date {
    return new Date(this.#now() + days * DAY);
  }

  #read(): LedgerAsRead {
    const file = this.#file('issued.json');
    if (!existsSync(file)) return { file: '', certificates: [], revoked: new Set() };
    const { ino, mtimeMs } = statSync(file);
    const version = `${ino} ${mtimeMs}`;
    if (this.#ledger?.file === version) return this.#ledger;
    try {
      const { certificates } = Ledger.parse(JSON.parse(readFileSync(file, 'utf8')));
      const revoked = new Set(certificates.flatMap((one) => (one.revoked === null ? [] : [one.serial])));
      this.#ledger = { file: version, certificates, revoked };
      return this.#ledger;
    } catch (thrown) {
      // To go on without it would make every revoked certificate good again.
      throw new QuanweiError(
        'STORAGE_CORRUPT',
        `证书清单无法读取 · the list of certificates cannot be read: ${messageOf(thrown)}`,
        {
          where: file,
          hint: '从备份恢复 · restore it from a backup',
          cause: thrown,
        },
      );
    }
  }

  #save(certificates: readonly IssuedCertificate[]): void {
    this.#write('issued.json', `${JSON.stringify({ certificates }, null, 1)}\n`, 0o600);
    this.#ledger = null;
  }

  #file(name: string): string {
    return join(this.#dir, name);
  }

  /** Whole or not at all, also through a power cut. */
  #write(name: string, text: string, mode: number): void {
    try {
      writeDurably(this.#file(name), text, mode);
    } catch (thrown) {
      throw new QuanweiError('STORAGE_UNAVAILABLE', `无法写入 · cannot write ${name}: ${messageOf(thrown)}`, {
        where: this.#dir,
        hint: '检查磁盘和权限 · check the disk and its permissions',
        cause: thrown,
      });
    }
  }
}

/** Serial numbers are written in either case, with and without leading zeros. */
const plain = (serial: string): string => serial.toLowerCase().replace(/^0+(?=.)/, '');
