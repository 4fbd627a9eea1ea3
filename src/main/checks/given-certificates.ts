import type { Settings } from '../settings.ts';
import type { CertificateFile } from './certificates.ts';

/** Every certificate file the configuration names. */
export function certificatesOf({ config }: Settings): CertificateFile[] {
  const { mqtt, http, upstream } = config;
  const files: CertificateFile[] = [];
  const add = (what: string, file: string | undefined, key?: string) => {
    if (file !== undefined) files.push({ what, file, ...(key === undefined ? {} : { key }) });
  };
  add('mqtt', mqtt.cert, mqtt.key);
  add('http', http.cert, http.key);
  add('upstream', upstream?.cert, upstream?.key);
  add('upstream-ca', upstream?.ca);
  return files;
}
