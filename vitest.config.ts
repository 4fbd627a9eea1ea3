import { defineConfig } from 'vitest/config';
import LongestFirst from './tests/support/longest-first.ts';

/** Tests that all stand on the whole server come first: they take longest. */
const ON_THE_SERVER = ['tests/api/**/*.test.ts', 'tests/page/**/*.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['tests/support/build.ts'],
    // For two cores: many of these tests wait for whole processes (gateway, Mosquitto, Chromium) more than they work.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 90_000,
    // What a file stands on is loaded once for a worker instead of once for a file: a quarter of what most of them cost. So
    // no test may leave anything behind in a module.
    isolate: false,
    // A failure names what was there: a page's one complaint, not `Array(1)`.
    chaiConfig: { truncateThreshold: 2_000 },
    projects: [
      { extends: true, test: { name: 'page', include: ON_THE_SERVER } },
      { extends: true, test: { name: 'gateway', include: ['tests/**/*.test.ts'], exclude: ON_THE_SERVER } },
    ],
  },
});
