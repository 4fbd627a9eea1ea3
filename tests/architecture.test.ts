import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** Rooms from the top down; a file imports from its own room and from rooms below it. */
const LAYERS = [
  'main',
  'api',
  'broker',
  'upstream',
  'intake',
  'doors',
  'compound',
  'alarms',
  'devices',
  'journal',
  'config',
  'kernel',
];
/** Rooms beside the path of the data, and all that they may use. */
const BESIDE: Record<string, readonly string[]> = {
  simulator: ['devices', 'config', 'kernel'],
  // Another process: it speaks to the gateway by MQTT and knows nothing of it.
  vision: ['config', 'kernel'],
  setup: [],
};
/** Beside files of their own room, only the composition roots may use these. */
const ONLY_MAIN = ['simulator', 'vision'];
/** The page is another program, in the browser: it shares the words of the API and nothing else. */
const PAGE = 'page';

const MAX_LINES = 400;
const HOLLOW_NAMES = /^(utils?|helpers?|common|managers?|misc|shared|stuff)$/i;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function files(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(dir, entry.name)) : [join(dir, entry.name)],
  );
}

const FROM = /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"](\.[^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const here = (target: string) => relative(SRC, join(dirname(file), target));
  const from = relative(SRC, file);
  return [
    ...[...text.matchAll(FROM)].map((m) => ({ from, to: here(m[2] as string), typeOnly: m[1] !== undefined })),
    ...[...text.matchAll(DYNAMIC)].map((m) => ({ from, to: here(m[1] as string), typeOnly: false })),
  ];
}

const room = (path: string): string => path.split(/[\\/]/)[0] as string;

/** Why an import is against the design, or `null`. */
function wrong({ from, to, typeOnly }: Import): string | null {
  const [mine, theirs] = [room(from), room(to)];
  if (to.startsWith('..')) return 'leaves src/';
  if (mine === theirs) return null;
  if (mine === PAGE) return theirs === 'api' && typeOnly ? null : 'the page imports only types of the API';
  const beside = BESIDE[mine];
  if (beside !== undefined) return beside.includes(theirs) ? null : `${mine} may import only ${beside.join(', ')}`;
  if (ONLY_MAIN.includes(theirs)) return mine === 'main' ? null : `only main imports ${theirs}`;
  const [above, below] = [LAYERS.indexOf(mine), LAYERS.indexOf(theirs)];
  if (above < 0) return `${mine} is no room of the design`;
  if (below < 0) return `${theirs} is no room of the design`;
  return above < below ? null : `${mine} lies below ${theirs}`;
}

/** The first chain of imports that comes back to where it began, or `null`. */
function cycleIn(imports: readonly Import[]): string[] | null {
  const graph = new Map<string, string[]>();
  for (const { from, to } of imports) graph.set(from, [...(graph.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle !== null) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

const all = files(SRC);
const code = all.filter((file) => /\.(ts|js|mjs|vue)$/.test(file));
const imports = code.flatMap(importsOf);

describe('rooms', () => {
  test('imports run down only', () => {
    expect(imports.length).toBeGreaterThan(0);
    const broken = imports.flatMap((one) => {
      const why = wrong(one);
      return why === null ? [] : [`${one.from} → ${one.to}: ${why}`];
    });
    expect(broken).toEqual([]);
  });

  test('every import names a file that exists', () => {
    const known = new Set(all.map((file) => relative(SRC, file)));
    expect(imports.filter(({ to }) => !known.has(to)).map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('no two files import each other, directly or through others', () => {
    expect(cycleIn(imports)?.join(' → ') ?? 'none').toBe('none');
  });

  test.each([
    ['kernel/clock.ts', 'journal/journal.ts', false, 'kernel lies below journal'],
    ['devices/decode.ts', 'alarms/board.ts', true, 'devices lies below alarms'],
    ['simulator/compound.ts', 'journal/journal.ts', false, 'simulator may import only devices, config, kernel'],
    ['api/server.ts', 'simulator/compound.ts', false, 'only main imports simulator'],
    ['page/main.ts', 'api/server.ts', false, 'the page imports only types of the API'],
    ['extra/thing.ts', 'kernel/clock.ts', false, 'extra is no room of the design'],
  ])('the check itself refuses %s → %s', (from, to, typeOnly, why) => {
    expect(wrong({ from, to, typeOnly })).toBe(why);
  });

  test('the check itself finds a cycle through several files', () => {
    const chain = [
      ['a.ts', 'b.ts'],
      ['b.ts', 'c.ts'],
      ['c.ts', 'b.ts'],
    ].map(([from, to]) => ({ from: from as string, to: to as string, typeOnly: false }));
    expect(cycleIn(chain)).toEqual(['b.ts', 'c.ts', 'b.ts']);
    expect(cycleIn(chain.slice(0, 2))).toBeNull();
  });
});

describe('packages', () => {
  test('ONNX Runtime is loaded in one place, which silences it first', () => {
    const loads = /from 'onnxruntime-node'|import\('onnxruntime-node'\)/;
    const loading = [...code, ...files(join(SRC, '../tests')).filter((file) => file.endsWith('.ts'))]
      .filter(
        (file) =>
          readFileSync(file, 'utf8')
            .replaceAll(/^import type .*/gm, '')
            .match(loads) !== null,
      )
      .map((file) => relative(SRC, file));
    expect(loading).toEqual(['vision/inference/onnxruntime.ts', '../tests/architecture.test.ts']);
  });
});

describe('files', () => {
  test(`none has more than ${MAX_LINES} lines`, () => {
    const long = code
      .map((file) => ({ file: relative(SRC, file), lines: readFileSync(file, 'utf8').trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > MAX_LINES);
    expect(long).toEqual([]);
  });

  test('names say what a thing is', () => {
    const hollow = all
      .map((file) => relative(SRC, file))
      .filter((path) =>
        path
          .split(/[\\/]/)
          .flatMap((part) => basename(part).replace(/\..*$/, '').split('-'))
          .some((word) => HOLLOW_NAMES.test(word)),
      );
    expect(hollow).toEqual([]);
  });
});
