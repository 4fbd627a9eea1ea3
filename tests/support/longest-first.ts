import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, the longest first: at the end one of them would keep one worker while the others have nothing left. */
const LONG = [
  ...['flows-desk', 'flows-phone', 'quality', 'board-together', 'devices', 'export', 'board', 'map'],
  ...[
    'demo',
    'vision-live',
    'footage-replay',
    'replay',
    'outage',
    'durable-acknowledgement',
    'centre-outage',
    'detect',
  ],
].map((name) => `${name}.test.ts`);

/** Vitest's own order knows how long a file took only where it has run before, and goes by its size where it has not. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project.name))];
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.indexOf(basename(moduleId));
      return at < 0 ? LONG.length : at;
    };
    // Projects stay together: each has its own kind of worker.
    return projects.flatMap((name) =>
      sorted.filter(({ project }) => project.name === name).sort((a, b) => rank(a) - rank(b)),
    );
  }
}
