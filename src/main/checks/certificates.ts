import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf } from '../../kernel/errors.ts';
import type { Finding } from './finding.ts';

export interface CertificateFile {
  /** What it is for: `mqtt`, `http`, `upstream`, `ca`. */
  readonly what: string;
  readonly file: string;
  /** Its private key, when it has to fit one. */
  readonly key?: string;
}

const DAY = 86_400_000;
const SOON_DAYS = 30;

/** Whether each certificate can be read, fits its key and is valid now. @param now ms since the epoch */
export const checkCertificates = (files: readonly CertificateFile[], now: number): Finding[] =>
  files.map((one) => check(one, now));

function check({ what, file, key }: CertificateFile, now: number): Finding {
  const name = `certificate.${what}`;
  try {
    const certificate = new X509Certificate(readFileSync(file));
    const days = Math.floor((Date.parse(certificate.validTo) - now) / DAY);
    const until = new Date(certificate.validTo).toISOString().slice(0, 10);
    const figures = { file, days, until };
    if (key !== undefined && !certificate.checkPrivateKey(createPrivateKey(readFileSync(key)))) {
      return {
        name,
        verdict: 'bad',
        text: { zh: `${file} 与私钥 ${key} 不匹配`, en: `${file} does not belong to the key ${key}` },
        figures,
        advice: { zh: '换成一对匹配的证书和私钥', en: 'use the certificate and the key that were issued together' },
      };
    }
    const early = Date.parse(certificate.validFrom) > now;
    const verdict = days < 0 || early ? 'bad' : days < SOON_DAYS ? 'doubtful' : 'good';
    return {
      name,
      verdict,
      text:
        days < 0
          ? { zh: `证书已过期：${file}（${until}）`, en: `Certificate ${file} expired on ${until}` }
          : early
            ? { zh: `证书尚未生效：${file}`, en: `Certificate ${file} is not valid yet: is the clock right?` }
            : { zh: `证书还有 ${days} 天：${file}`, en: `Certificate ${file} is valid for ${days} more days` },
      figures,
      ...(verdict === 'good' ? {} : { advice: { zh: '尽快更换证书', en: 'renew the certificate' } }),
    };
  } catch (thrown) {
    return {
      name,
      verdict: 'bad',
      text: { zh: `证书无法读取：${file}`, en: `Certificate cannot be read: ${file}: ${messageOf(thrown)}` },
      advice: { zh: '检查路径和权限', en: 'check the path and the permissions' },
    };
  }
}
