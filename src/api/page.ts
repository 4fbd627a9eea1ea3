import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';

/** The page as it is shipped; the same place seen from `src/` and from `dist/`. */
const PAGE = fileURLToPath(new URL('../../src/page', import.meta.url));

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Serves the page's few files from memory: what is not among them cannot be asked for. */
export function servePage(app: FastifyInstance): void {
  for (const name of readdirSync(PAGE)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(PAGE, name));
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    app.get(
      name === 'index.html' ? '/' : `/${name}`,
      { config: { access: 'public', rateLimit: false }, schema: { hide: true } },
      async (request, reply) => {
        // Asked about each time, so that an upgrade of the box is an upgrade of every open page at its next load.
        reply.header('cache-control', 'no-cache').header('etag', etag).type(type);
        return request.headers['if-none-match'] === etag ? reply.code(304).send() : reply.send(bytes);
      },
    );
  }
}
