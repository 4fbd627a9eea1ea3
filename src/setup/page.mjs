// `dist/page` from `src/page`, each file also compressed: a phone on the guard room's Wi-Fi gets a quarter of the bytes,
// and the box compresses nothing while it runs.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PAGE = join(ROOT, 'dist', 'page');
const COMPRESSED = /\.(js|css|html|svg|webmanifest)$/;
/** Below this a packet is a packet, bytes. */
const WORTH_IT = 1_024;

export async function buildPage() {
  // Whoever builds, and for whatever: a test that builds gets what is shipped, and not Vue as its developers have it.
  process.env.NODE_ENV = 'production';
  await build({ configFile: join(ROOT, 'src', 'page', 'vite.config.ts') });
  for (const entry of readdirSync(PAGE, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !COMPRESSED.test(file) || statSync(file).size < WORTH_IT) continue;
    const bytes = readFileSync(file);
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
    writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildPage();
