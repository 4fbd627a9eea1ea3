// `npm run build`: `dist/` from `src/`, every program in as few files as it needs. Loading a thousand small modules was
// half of a start, and each costs memory as long as the process lives. Types are checked elsewhere (`npm run check`).
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SRC = join(ROOT, 'src');
const DIST = join(ROOT, 'dist');

/** How a file names the thread or process it starts: `threadFile(import.meta.url, 'NAME')` is `NAME.ts` beside it. */
const STARTS = /\bthreadFile\(\s*import\.meta\.url,\s*'([^']+)'/g;

const filesBelow = (dir) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

/** What the build itself runs, once it is there: `*.build.ts` leaves in `dist/made` what a start need not work out again. */
const toRun = () => filesBelow(SRC).filter((file) => file.endsWith('.build.ts'));

/** What is started by itself: the command, whatever a file starts with `threadFile`, and what the build runs. */
function entryPoints() {
  const started = filesBelow(SRC)
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(STARTS)].map(([, name]) => join(dirname(file), `${name}.ts`)),
    );
  return [join(SRC, 'main', 'cli.ts'), ...new Set(started), ...toRun()];
}

/** Packages that look beside their own files. */
const LOOKING = new Set(['fluent-ffmpeg']);

/** Whether a package has machine code of its own or for each platform: it finds that by where its files lie. */
function native(name) {
  const about = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'));
  const { scripts = {}, binary, gypfile, optionalDependencies = {} } = about;
  const perPlatform = Object.keys(optionalDependencies).some((other) => /(linux|darwin|win32)/.test(other));
  return binary !== undefined || gypfile === true || scripts.install !== undefined || perPlatform;
}

/** Packages are put in; those with machine code, or with files of their own, are left where they are. */
const leaveNative = {
  name: 'leave-native',
  setup({ onResolve }) {
    onResolve({ filter: /^[@a-z]/ }, ({ path, kind }) => {
      const name = path
        .split('/')
        .slice(0, path.startsWith('@') ? 2 : 1)
        .join('/');
      if (kind === 'entry-point' || !LOADED.has(name)) return undefined;
      return native(name) || LOOKING.has(name) ? { path, external: true } : undefined;
    });
  },
};
const LOADED = new Set(Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).dependencies));

/** zod brings what it says in sixty languages; ours are said by the code that refuses. Half of it need not be read at a start. */
const oneLanguage = {
  name: 'one-language',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

/**
 * Packages of MQTT tell what they do at every packet to `debug`, which drops it: a twelfth of the memory a message takes on its
 * way was made for nobody to read.
 */
const nobodyDebugs = {
  name: 'nobody-debugs',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/]debug[\\/]src[\\/]index\.js$/ }, () => ({
      contents:
        'const silent = () => {}; silent.enabled = false; silent.extend = () => silent; module.exports = () => silent;',
      loader: 'js',
    }));
  },
};

/**
 * In a bundle `import.meta.url` would be the bundle's. What lies beside the program is found by where a module lies in
 * the tree, so each keeps the address it has in `src/`, seen from `dist/`.
 */
const ownAddress = {
  name: 'own-address',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8');
      if (!path.startsWith(SRC + sep) || !contents.includes('import.meta.url')) return undefined;
      const place = relative(SRC, path).replaceAll(sep, '/').replace(/\.ts$/, '.js');
      const address = `(import.meta.url.replace(/\\/dist\\/(?!.*\\/dist\\/).*/, '/dist/${place}'))`;
      return { contents: contents.replaceAll(/\bimport\.meta\.url\b/g, address), loader: 'ts' };
    });
  },
};

/**
 * Bundles programs into `outdir`, which lies in `dist/`, in the tree they have below `outbase`.
 * @param {string[]} programs files in TypeScript
 * @returns {Promise<string[]>} every file written
 */
export async function bundle(programs, outbase, outdir) {
  const { metafile } = await build({
    entryPoints: programs,
    outbase,
    outdir,
    chunkNames: 'parts/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // V8 keeps the text of what it has loaded. Names stay as they are: a stack can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    legalComments: 'none',
    sourcemap: 'linked',
    sourcesContent: false,
    // Packages of the older kind ask for Node's own modules with `require`.
    banner: { js: "import{createRequire as requireOf}from'node:module';const require=requireOf(import.meta.url);" },
    plugins: [ownAddress, oneLanguage, nobodyDebugs, leaveNative],
    absWorkingDir: ROOT,
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.outputs).map((file) => join(ROOT, file));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const written = new Set(await bundle(entryPoints(), SRC, DIST));
  const page = join(DIST, 'page') + sep;
  for (const file of filesBelow(DIST)) if (!written.has(file) && !file.startsWith(page)) rmSync(file);
  for (const file of toRun()) {
    await import(pathToFileURL(join(DIST, relative(SRC, file)).replace(/\.ts$/, '.js')).href);
  }
}
