import { X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Authority, type IssuedCertificate, openAuthority } from '../../broker/ca.ts';
import { SystemClock } from '../../kernel/clock.ts';
import { dataDirectory, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';
import { wholeNumber } from './arguments.ts';

type Options = Place & { readonly json?: true };

export function addCa(program: Command): void {
  const ca = program
    .command('ca')
    .description('证书 the box’s own certificate authority, for mqtts:// and device certificates');
  withPlace(ca.command('show'))
    .description('显示根证书 print the CA certificate that devices have to trust')
    .option('--json', 'one JSON object')
    .action(show);
  withPlace(ca.command('issue'))
    .description(
      '签发 a certificate with which a device logs in without a secret; its key is written once and kept nowhere',
    )
    .argument('<device>', '设备编号 device id')
    .option('--days <n>', '有效天数 days it is valid', wholeNumber(1, 36_500))
    .option('--out <dir>', '目录 where DEVICE.crt, DEVICE.key and ca.crt are written', '.')
    .option('--json', 'one JSON object')
    .action(issue);
  withPlace(ca.command('list'))
    .description('列出 every certificate issued')
    .option('--json', '每张证书一行 JSON, one JSON object a certificate')
    .action(list);
  withPlace(ca.command('revoke'))
    .description('吊销 a certificate, or all of a device; connections made with it are closed within 10 s')
    .argument('<which>', '序列号或设备编号 serial number or device id')
    .option('--reason <text>', '原因 why')
    .option('--json', '每张证书一行 JSON, one JSON object a certificate')
    .action(revoke);
}

const open = (options: Options): Promise<Authority> => openAuthority(dataDirectory(options), new SystemClock());

async function show(options: Options): Promise<void> {
  const authority = await open(options);
  const pem = await authority.certificate();
  const file = join(authority.dir, 'ca.crt');
  const { fingerprint256, validTo } = new X509Certificate(pem);
  const terminal = new Terminal();
  if (options.json === true) {
    return terminal.json({ file, fingerprint256, expires: new Date(validTo).toISOString(), pem });
  }
  await terminal.line(pem.trim());
  await terminal.line(`# ${file}`);
  await terminal.line(`# SHA-256 ${fingerprint256}`);
}

async function issue(device: string, options: Options & { days?: number; out: string }): Promise<void> {
  const { cert, key, ca, serial } = await (await open(options)).issue(device, options.days);
  const out = resolve(options.out);
  mkdirSync(out, { recursive: true, mode: 0o700 });
  const files = { cert: join(out, `${device}.crt`), key: join(out, `${device}.key`), ca: join(out, 'ca.crt') };
  writeFileSync(files.key, key, { mode: 0o600 });
  writeFileSync(files.cert, cert, { mode: 0o644 });
  writeFileSync(files.ca, ca, { mode: 0o644 });
  const terminal = new Terminal();
  if (options.json === true) return terminal.json({ device, serial, ...files });
  await terminal.line(`✓ 已签发 issued ${serial}`);
  for (const file of Object.values(files)) await terminal.line(`  ${file}`);
  await terminal.line('  把三个文件装入设备后删除私钥 · put all three into the device, then delete the key here');
}

async function list(options: Options): Promise<void> {
  await print((await open(options)).list(), options);
}

async function revoke(which: string, options: Options & { reason?: string }): Promise<void> {
  await print(await (await open(options)).revoke(which, options.reason ?? null), options);
}

async function print(certificates: readonly IssuedCertificate[], options: Options): Promise<void> {
  const terminal = new Terminal();
  for (const one of certificates) {
    if (options.json === true) await terminal.json(one);
    else {
      const state =
        one.revoked === null ? `有效至 valid to ${one.expires.slice(0, 10)}` : `已吊销 revoked ${one.revoked}`;
      await terminal.line(`${one.serial}  ${one.device}  ${state}`);
    }
  }
}
