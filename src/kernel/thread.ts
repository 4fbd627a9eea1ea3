import { fileURLToPath } from 'node:url';

/**
 * The compiled file of a thread or child process that lives beside the caller. Under the test runner the caller is
 * TypeScript in `src/`, which a bare Node thread cannot load; the build it runs first has the same tree in `dist/`.
 */
export function threadFile(callerUrl: string, name: string): string {
  const beside = fileURLToPath(new URL(`./${name}.js`, callerUrl));
  return callerUrl.endsWith('.ts') ? beside.replace(/([\\/])src([\\/](?!.*[\\/]src[\\/]))/, '$1dist$2') : beside;
}
