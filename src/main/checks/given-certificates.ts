import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../settings.ts';
import type { CertificateFile } from './certificates.ts';

/** Every certificate file the configuration names, and those the box's own CA has made. */
export function certificatesOf({ config }: Settings): CertificateFile[] {
  const { data, mqtt, http, upstream } = config;
  const files: CertificateFile[] = [];
  const add = (what: string, file: string | undefined, key?: string) => {
    if (file !== undefined) files.push({ what, file, ...(key === undefined ? {} : { key }) });
  };
  add('mqtt', mqtt.cert, mqtt.key);
  add('http', http.cert, http.key);
  add('upstream', upstream?.cert, upstream?.key);
  add('upstream-ca', upstream?.ca);
  for (const name of ['ca', 'server']) {
    const file = join(data, 'ca', `${name}.crt`);
    if (existsSync(file)) add(`own-${name}`, file, join(data, 'ca', `${name}.key`));
  }
  return files;
}
