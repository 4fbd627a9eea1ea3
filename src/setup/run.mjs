import { spawn, spawnSync } from 'node:child_process';

/** Runs a program with its output shown on standard error. Resolves with its exit code; 127 when it cannot be started. */
export function show(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 2, 2] });
    child.once('error', (thrown) => {
      console.error(`${command}: ${thrown.message}`);
      resolve(127);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Whether a program runs and ends with 0; its output is not shown. */
export const succeeds = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** Runs a program silently; its output is shown only when it fails. Resolves with its exit code. */
export function quietly(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const keep = (chunk) => {
      said = (said + chunk).slice(-4_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (thrown) => {
      console.error(`${command}: ${thrown.message}`);
      resolve(127);
    });
    child.once('close', (code) => {
      if (code !== 0) console.error(said.trimEnd());
      resolve(code ?? 1);
    });
  });
}
