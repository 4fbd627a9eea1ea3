import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort } from './ports.ts';

const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

/** The first administrator's password in every gateway a test starts. */
export const ADMIN_PASSWORD = 'test-admin-password';

/** An entry as the API and the command tell it. */
export interface JournalEntry {
  readonly seq: number;
  readonly id: string;
  readonly kind: string;
  readonly actor: string;
  readonly subject: string | null;
  readonly wall: number;
  readonly deviceTime: number | null;
  readonly lane: number | null;
  readonly body: Record<string, unknown>;
}

export interface GatewayAddresses {
  readonly mqtt: number;
  readonly http: number;
}

/** The shipped program, run as a process of its own, with a configuration of the test's making. */
export class GatewayProcess {
  readonly dir: string;
  readonly config: string;
  readonly data: string;
  readonly ports: GatewayAddresses;
  /** Of the next start. */
  readonly env: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;
  #session: { base: string; cookie: string } | null = null;
  output = '';

  private constructor(dir: string, ports: GatewayAddresses, env: NodeJS.ProcessEnv) {
    this.dir = dir;
    this.config = join(dir, 'gateway.yaml');
    this.data = join(dir, 'data');
    this.ports = ports;
    this.env = env;
  }

  /**
   * @param dir an empty directory
   * @param settings merged over the least that a gateway needs
   * @param env further environment, e.g. LD_PRELOAD
   */
  static async prepare(
    dir: string,
    settings: Record<string, unknown>,
    env: Record<string, string> = {},
  ): Promise<GatewayProcess> {
    const ports = { mqtt: await freePort(), http: await freePort() };
    const gateway = new GatewayProcess(dir, ports, {
      ...process.env,
      QUANWEI_LOG: 'warn',
      QUANWEI_ADMIN_PASSWORD: ADMIN_PASSWORD,
      ...env,
    });
    mkdirSync(gateway.data, { recursive: true });
    const { mqtt, ...rest } = settings as { mqtt?: Record<string, unknown> };
    writeFileSync(
      gateway.config,
      stringify({
        site: { id: 'spring-garden', name: '泉水花园', street: 'longquan', timezone: 'Asia/Shanghai' },
        data: gateway.data,
        mqtt: { listen: [`mqtt://127.0.0.1:${ports.mqtt}`], ...mqtt },
        http: { listen: `http://127.0.0.1:${ports.http}` },
        ...rest,
      }),
    );
    return gateway;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when `/healthz` says that an alarm can be accepted and stored; gives the ms it took. */
  async start(): Promise<number> {
    const begun = performance.now();
    const child = spawn(process.execPath, [CLI, 'gateway', '--config', this.config], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const keep = (chunk: Buffer) => {
      this.output = (this.output + chunk.toString()).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`the gateway ended with ${child.exitCode ?? child.signalCode}:\n${this.output}`);
      }
      if (performance.now() - begun > 30_000) throw new Error(`the gateway did not get ready:\n${this.output}`);
      if (await this.healthy()) return performance.now() - begun;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async healthy(): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.ports.http}/healthz`);
      await answer.arrayBuffer();
      return answer.status === 200;
    } catch (thrown) {
      if (thrown instanceof TypeError) return false; // fetch says so while nobody listens yet
      throw thrown;
    }
  }

  /** Signs in as the first administrator; gives what further requests need. */
  async signIn(): Promise<{ base: string; cookie: string }> {
    const base = `http://127.0.0.1:${this.ports.http}`;
    const answer = await fetch(`${base}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: base },
      body: JSON.stringify({ name: 'admin', password: ADMIN_PASSWORD }),
    });
    if (answer.status !== 200) throw new Error(`signing in was answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    const cookie = answer.headers.getSetCookie().map((line) => line.split(';')[0]);
    return { base, cookie: cookie.join('; ') };
  }

  /** One API request of the signed-in administrator; throws on an answer that is not 2xx. */
  async api(path: string, body?: unknown, again = true): Promise<unknown> {
    this.#session ??= await this.signIn();
    const { base, cookie } = this.#session;
    const answer = await fetch(`${base}${path}`, {
      headers: { cookie, origin: base, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    // After days, or with another database, the session is over: as a person does, sign in again.
    if (answer.status === 401 && again) {
      this.#session = null;
      return this.api(path, body, false);
    }
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** As the power cut does it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Runs a `quanwei` command on this gateway's data; gives its standard output. */
  async run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [CLI, ...args], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    await once(child, 'close');
    return {
      code: child.exitCode,
      stdout: Buffer.concat(out).toString('utf8'),
      stderr: Buffer.concat(err).toString('utf8'),
    };
  }

  /** Entries of a running gateway's journal, oldest first. @param kind only these; @param after seq */
  async entries(kind: string, after = 0): Promise<JournalEntry[]> {
    const all: JournalEntry[] = [];
    for (;;) {
      const from = all.at(-1)?.seq ?? after;
      const path = `/api/journal?kinds=${kind}&after=${from}&limit=500`;
      const { entries } = (await this.api(path)) as { entries: JournalEntry[] };
      all.push(...entries);
      if (entries.length < 500) return all;
    }
  }

  /** Seq of the newest entry of a running gateway's journal. */
  async head(): Promise<number> {
    return ((await this.api('/api/journal?limit=1')) as { head: number }).head;
  }

  /** Every entry of the journal as the command prints it. */
  async journal(...args: string[]): Promise<JournalEntry[]> {
    const { code, stdout, stderr } = await this.run('journal', '--data', this.data, '--json', ...args);
    if (code !== 0) throw new Error(`quanwei journal ended with ${code}: ${stderr}`);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as JournalEntry);
  }
}
