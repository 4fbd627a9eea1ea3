import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/**
 * The X.509 of the box's own CA: ECDSA on P-256 with SHA-256 (RFC 5480, RFC 5280), which every TLS stack of the last
 * ten years can do. Loaded only when a certificate is made: reading them needs nothing of this.
 */

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Before any device or box clock that has not been set: a clock of 1970 or 2015 must not make our certificates invalid. */
const NOT_BEFORE = new Date('2020-01-01T00:00:00Z');

export interface Pair {
  /** PEM */
  readonly cert: string;
  readonly key: string;
}

export interface Issued extends Pair {
  /** Hexadecimal, as a peer certificate tells it. */
  readonly serial: string;
}

export async function makeAuthority(name: string, notAfter: Date): Promise<Pair> {
  const keys = await generate();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: subject(name),
    notBefore: NOT_BEFORE,
    notAfter,
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: certificate.toString('pem'), key: await privatePem(keys) };
}

/** @param hosts names and addresses clients know the server by */
export async function issueServer(authority: Pair, hosts: readonly string[], notAfter: Date): Promise<Issued> {
  const names = hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host }));
  return issue(authority, hosts[0] ?? 'quanwei', notAfter, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(names),
  ]);
}

/** @param device becomes the common name, which is who the holder is */
export async function issueClient(authority: Pair, device: string, notAfter: Date): Promise<Issued> {
  return issue(authority, device, notAfter, [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])]);
}

/** The list of revoked certificates (RFC 5280 §5), PEM, for others who trust this CA. */
export async function makeRevocationList(
  authority: Pair,
  revoked: readonly { serial: string; at: Date }[],
  now: Date,
  next: Date,
): Promise<string> {
  const list = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(authority.cert).subjectName,
    thisUpdate: now,
    nextUpdate: next,
    entries: revoked.map(({ serial, at }) => ({ serialNumber: serial, revocationDate: at })),
    signingAlgorithm: SIGNING,
    signingKey: await importKey(authority.key),
  });
  // The library's own label (`CRL`) is not the one of RFC 7468 §6, and OpenSSL does not read it.
  return x509.PemConverter.encode(list.rawData, 'X509 CRL');
}

async function issue(
  authority: Pair,
  name: string,
  notAfter: Date,
  extensions: readonly x509.Extension[],
): Promise<Issued> {
  const keys = await generate();
  const issuer = new x509.X509Certificate(authority.cert);
  const serial = newSerial();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: subject(name),
    issuer: issuer.subjectName,
    notBefore: NOT_BEFORE,
    notAfter,
    signingAlgorithm: SIGNING,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...extensions,
    ],
  });
  return { cert: certificate.toString('pem'), key: await privatePem(keys), serial };
}

/** A JSON name, so that nothing in `name` is read as syntax. */
const subject = (name: string): x509.Name => new x509.Name([{ CN: [{ utf8String: name }] }]);

/** 127 random bits with the top ones set so: positive, and no leading zero anybody could drop. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

const generate = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;

async function privatePem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), KEYS, false, ['sign']);
}
