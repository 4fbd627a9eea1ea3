import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The shipped program. */
export const CLI: string = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a program; the caller ends it. */
export const start = (
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): ChildProcess => spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });

/** Resolves with all a program wrote, once it has ended. */
export async function finished(child: ChildProcess): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, ...text };
}

/** Runs one `quanwei` command line to its end. */
export const quanwei = (...args: string[]): Promise<Ended> => finished(start(process.execPath, [CLI, ...args]));

/** Runs one and reads the JSON object it prints. */
export const quanweiJson = <T>(...args: string[]): Promise<{ code: number | null; value: T }> =>
  quanweiJsonIn<T>({}, ...args);

/** The same with an environment that differs. */
export async function quanweiJsonIn<T>(
  env: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<{ code: number | null; value: T }> {
  const child = start(process.execPath, [CLI, ...args, '--json'], { env: { ...process.env, ...env } });
  const { code, stdout, stderr } = await finished(child);
  try {
    return { code, value: JSON.parse(stdout) as T };
  } catch (cause) {
    throw new Error(`quanwei ${args.join(' ')} ended with ${code} and printed no JSON: ${stdout}${stderr}`, { cause });
  }
}
