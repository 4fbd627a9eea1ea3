import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { invariant, QuanweiError } from '../kernel/errors.ts';
import { type Access, atLeast } from './roles.ts';
import type { Sessions, SignedIn } from './sessions.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route. */
    access?: Access;
    /** Bodies it takes instead of JSON, as media types; none of them may be one that a form of another site can send. */
    bodies?: readonly string[];
  }
  interface FastifyRequest {
    /** Who asks; `null` for nobody signed in. */
    signedIn: SignedIn | null;
  }
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

export interface Declared {
  readonly method: string;
  readonly url: string;
  readonly access: Access;
}

/** Who may use what, decided in one place before a body is read. Gives the table of all routes as they are declared. */
export function guardRoutes(app: FastifyInstance, sessions: Sessions, cookie: string): Declared[] {
  const table: Declared[] = [];
  app.decorateRequest('signedIn', null);
  app.addHook('onRoute', (route: RouteOptions) => {
    const access = route.config?.access;
    invariant(access !== undefined, `${String(route.method)} ${route.url} does not say who may use it`);
    for (const method of [route.method].flat()) table.push({ method, url: route.url, access });
  });
  app.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
    refuseOtherSites(request);
    const token = request.cookies[cookie];
    request.signedIn = token === undefined ? null : sessions.find(token);
    // Where nothing is found there is nothing to guard.
    if (!request.is404) admit(request, request.routeOptions.config.access);
    refuseOtherBodies(request);
  });
  return table;
}

function admit(request: FastifyRequest, access: Access | undefined): void {
  if (access === 'public') return;
  if (access === 'local' && LOOPBACK.test(request.ip)) return;
  const signedIn = request.signedIn;
  if (signedIn === null) throw new QuanweiError('NOT_SIGNED_IN', '请先登录 · sign in first');
  if (access === 'self') return;
  if (signedIn.account.mustChange) {
    throw new QuanweiError('FORBIDDEN', '请先修改密码 · change your password first', {
      where: 'password',
      hint: 'POST /api/password',
    });
  }
  if (access === 'local') return;
  const needed = access ?? 'admin';
  if (!atLeast(signedIn.account.role, needed)) {
    throw new QuanweiError('FORBIDDEN', `需要权限 ${needed} · your role does not allow this`, {
      hint: `it takes the role ${needed}`,
    });
  }
}

/**
 * Cookies of this site are SameSite=Strict; this is the second lock. A browser says where a request comes from
 * (Sec-Fetch-Site, Origin); a program that is no browser says neither and has no cookie of a person to misuse.
 */
function refuseOtherSites(request: FastifyRequest): void {
  const { method, headers } = request;
  const from = headers['sec-fetch-site'];
  const foreign = from === 'cross-site' || from === 'same-site';
  if (SAFE.has(method)) {
    if (foreign && request.url.startsWith('/api/')) throw otherSite();
    return;
  }
  if (foreign) throw otherSite();
  const { origin, host } = headers;
  if (origin !== undefined && hostOf(origin) !== host?.toLowerCase()) throw otherSite();
}

/** The types a form of another site can send without being asked for permission are not among those that are taken. */
function refuseOtherBodies({ method, headers, routeOptions }: FastifyRequest): void {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (SAFE.has(method) || !hasBody) return;
  const taken = routeOptions.config.bodies ?? ['application/json'];
  const [type = ''] = (headers['content-type'] ?? '').toLowerCase().split(';', 1);
  if (taken.includes(type.trim())) return;
  throw new QuanweiError('BAD_REQUEST', `只接受 ${taken.join('、')} · only ${taken.join(', ')} is accepted`, {
    where: 'content-type',
  });
}

/** A browser says where a WebSocket comes from, and lets any site open one with this site’s cookies but for SameSite. */
export function refuseForeignSocket({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  if (origin !== undefined && hostOf(origin) !== host?.toLowerCase()) throw otherSite();
}

const otherSite = (): QuanweiError =>
  new QuanweiError('FORBIDDEN', '拒绝来自其他网站的请求 · requests from other sites are refused');

function hostOf(origin: string): string | null {
  if (!URL.canParse(origin)) return null;
  const { host, protocol } = new URL(origin);
  return protocol === 'http:' || protocol === 'https:' ? host.toLowerCase() : null;
}

/** The person who asks; for routes that nobody reaches unsigned. */
export function person(request: FastifyRequest): SignedIn {
  invariant(request.signedIn !== null, 'this route needs somebody signed in');
  return request.signedIn;
}

/** How the journal names that person. */
export const actorOf = (request: FastifyRequest): string => `user:${person(request).account.name}`;
