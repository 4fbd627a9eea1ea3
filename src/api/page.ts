import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import serveFiles from '@fastify/static';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { QuanweiError } from '../kernel/errors.ts';

/** The page as it is built; the same place seen from `src/` and from `dist/`. */
const PAGE = fileURLToPath(new URL('../../dist/page', import.meta.url));
const COMPRESSED = /\.(br|gz)$/;
/** Asked about each time, so that an upgrade of the box is an upgrade of every open page at its next load. */
const ASK = 'no-cache';
/** A file whose name says what is in it never changes. */
const FOR_GOOD = 'max-age=31536000, immutable';

/**
 * Serves the page's files, compressed as they were built. Each is a route of its own: what is not among them cannot be
 * asked for.
 * @throws QuanweiError NOT_FOUND when the page has not been built
 */
export async function servePage(app: FastifyInstance): Promise<void> {
  if (!existsSync(PAGE)) {
    throw new QuanweiError('NOT_FOUND', 'the page has not been built', { where: PAGE, hint: 'run `npm run build`' });
  }
  await app.register(serveFiles, { root: PAGE, serve: false, preCompressed: true, cacheControl: false });
  for (const entry of readdirSync(PAGE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || COMPRESSED.test(entry.name)) continue;
    const file = relative(PAGE, join(entry.parentPath, entry.name)).split(sep).join('/');
    app.get(
      file === 'index.html' ? '/' : `/${file}`,
      { config: { access: 'public', rateLimit: false }, schema: { hide: true } },
      async (_request, reply) =>
        reply.header('cache-control', file.startsWith('assets/') ? FOR_GOOD : ASK).sendFile(file),
    );
  }
}

/** Path segments as a browser sends them; none is empty, so that no host can stand in the first. */
const SEGMENTS = /^(?:\/[\w.~%-]+)+\/?$/;

/**
 * Where the page shows what somebody typed without its `#`, as `/alarms/…`.
 * @returns `null` when a program asks, or for what the page cannot have
 */
export function behindHash({
  method,
  url,
  headers,
}: Pick<FastifyRequest, 'method' | 'url' | 'headers'>): string | null {
  const [path = ''] = url.split('?', 1);
  if (method !== 'GET' || headers.accept?.includes('text/html') !== true) return null;
  return !/^\/api(\/|$)/.test(path) && SEGMENTS.test(path) ? `/#${path}` : null;
}
