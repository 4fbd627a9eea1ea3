#!/usr/bin/env node
// Everything a bare checkout needs, told by what it is for: `--for demo|test|bench|run`. Safe to run again at any
// time; does nothing, quickly, when nothing is missing. Runs before any package is installed, so it imports only Node.
// This first file keeps to syntax that Node 12 can read: whoever has an old Node gets a sentence, not a stack.

const NEEDED = [20, 19];

const have = process.versions.node.split('.').map(Number);
if (have[0] < NEEDED[0] || (have[0] === NEEDED[0] && have[1] < NEEDED[1])) {
  console.error(
    [
      `Node ${process.versions.node} 太旧，需要 ${NEEDED.join('.')} 或更新版本。`,
      `Node ${process.versions.node} is too old: Quanwei needs ${NEEDED.join('.')} or newer.`,
      'Debian/Ubuntu: https://github.com/nodesource/distributions — or unpack a tarball from https://nodejs.org/dist/',
    ].join('\n'),
  );
  process.exit(1);
}

import('./steps.mjs')
  .then((steps) => steps.setUp(process.argv.slice(2)))
  .then((code) => {
    process.exitCode = code;
  })
  .catch((thrown) => {
    console.error(`set-up stopped: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    process.exitCode = 1;
  });
