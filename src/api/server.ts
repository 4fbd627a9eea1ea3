import type { Server as HttpsServer } from 'node:https';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import { PlanPictures } from '../compound/plan-picture.ts';
import { Plans } from '../compound/plans.ts';
import { invariant, messageOf, QuanweiError } from '../kernel/errors.ts';
import { idSource } from '../kernel/ids.ts';
import { type Declared, guardRoutes } from './guard.ts';
import { HealthCheck } from './health.ts';
import { certificateOf, keepCertificate } from './https.ts';
import { Live } from './live.ts';
import { behindHash, servePage } from './page.ts';
import type { ApiParts } from './ports.ts';
import { answerProblem } from './problems.ts';
import { addRoutes } from './routes/index.ts';
import { Sessions } from './sessions.ts';
import { SignInAttempts } from './sign-in-attempts.ts';
import { stateOf } from './state.ts';
import { Viewers } from './viewers.ts';

/** Largest request body, bytes: the longest thing a person types is a note. */
const BODY = 64 * 1024;
/** Requests a minute from one address; a page that is clicked as fast as one can makes a tenth of it. */
const PER_MINUTE = 1_200;
const CONNECTIONS = 1_000;
const CLOSE_MS = 1_000;

export interface ApiServer {
  /** Where it listens, `http://HOST:PORT`. */
  readonly address: string;
  /** Every route and who may use it. */
  readonly routes: readonly Declared[];
  readonly app: FastifyInstance;
  /** Ends every stream and connection. */
  close(): Promise<void>;
}

/**
 * The page, the API and the live stream on `http.listen`.
 * @throws QuanweiError PORT_TAKEN; BAD_CONFIG for https without a certificate
 */
export async function createServer(parts: ApiParts): Promise<ApiServer> {
  const { journal, accounts, config, clock, log } = parts;
  const { host, port, secure } = listenOn(config.http.listen);
  const certificate = secure ? await certificateOf(parts, host) : null;
  const app = Fastify({
    logger: false,
    bodyLimit: BODY,
    requestTimeout: 30_000,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 160 },
    http: { maxHeaderSize: 16 * 1024 },
    ...(certificate === null ? {} : { https: { ...certificate, maxHeaderSize: 16 * 1024 } }),
  } as FastifyServerOptions) as unknown as FastifyInstance;
  app.server.maxConnections = CONNECTIONS;
  const renewal =
    certificate === null ? null : keepCertificate(app.server as unknown as HttpsServer, parts, host, certificate);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerProblem(log));
  app.setNotFoundHandler((request, reply) => {
    const address = behindHash(request);
    if (address !== null) return reply.redirect(address);
    throw new QuanweiError('NOT_FOUND', '没有这个地址 · there is nothing at this address', {
      hint: '/api/openapi.json',
    });
  });

  const sessions = new Sessions({
    journal,
    accounts,
    clock,
    log,
    lifetimeMs: config.http.sessionHours * 3_600_000,
  });
  const attempts = new SignInAttempts({ journal, clock, log, known: (name, from) => sessions.knows(name, from) });
  const live = new Live({
    journal,
    clock,
    log,
    state: () => stateOf(parts),
    alive: (session) => sessions.use(session) !== null,
  });
  const viewers = new Viewers({ journal, clock, log, alive: (session) => sessions.use(session) !== null });
  sessions.onEnd((session) => {
    live.endSession(session);
    viewers.endSession(session);
  });
  const health = new HealthCheck({ journal, clock, listening: () => parts.broker.addresses.length > 0 });

  await app.register(helmet, headers(secure));
  await app.register(cookie);
  await app.register(rateLimit, { max: PER_MINUTE, timeWindow: 60_000, cache: 5_000 });
  await app.register(swagger, {
    openapi: {
      info: {
        title: 'Quanwei 泉卫',
        description: 'Sign in with `POST /api/login`; the session is a cookie. Times are ms since 1970-01-01T00:00Z.',
        version: parts.version,
      },
      components: { securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: cookieName(secure) } } },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(websocket, { options: { maxPayload: 1_024, perMessageDeflate: false } });
  const routes = guardRoutes(app, sessions, cookieName(secure));
  const { vision = null } = parts;
  addRoutes(app, {
    ...parts,
    vision,
    viewers,
    sessions,
    attempts,
    live,
    health,
    plans: new Plans({ journal, clock, newId: idSource(clock) }),
    pictures: new PlanPictures(clock),
    cookie: { name: cookieName(secure), secure },
  });
  await servePage(app);
  // Streams never end by themselves: without this the server would wait for them for ever.
  app.addHook('preClose', async () => {
    live.close();
    viewers.close();
    sessions.stop();
    renewal?.cancel();
  });

  try {
    await app.listen({ host, port });
  } catch (thrown) {
    await app.close();
    if ((thrown as { code?: unknown }).code === 'EADDRINUSE') {
      throw new QuanweiError('PORT_TAKEN', messageOf(thrown), { where: config.http.listen, cause: thrown });
    }
    throw thrown;
  }
  const close = async () => {
    // Answers under way may be finished; a connection that says nothing would be waited for until it times out.
    const force = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
    try {
      await app.close();
    } finally {
      clearTimeout(force);
    }
  };
  return { address: addressOf(app, secure), routes, app, close };
}

const cookieName = (secure: boolean): string => (secure ? '__Host-quanwei' : 'quanwei');

/** Nothing inline, nothing from elsewhere, no text that becomes markup: what a device says cannot run. */
function headers(secure: boolean): Parameters<typeof helmet>[1] {
  const self = ["'self'"];
  const none = ["'none'"];
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none,
        scriptSrc: self,
        styleSrc: self,
        imgSrc: self,
        // A live view is fed by the page's own program.
        mediaSrc: ["'self'", 'blob:'],
        connectSrc: self,
        manifestSrc: self,
        formAction: self,
        baseUri: none,
        frameAncestors: none,
        requireTrustedTypesFor: ["'script'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: secure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    // Promises that only https can keep; over http browsers complain about them.
    crossOriginOpenerPolicy: secure,
    originAgentCluster: secure,
  };
}

function listenOn(url: string): { host: string; port: number; secure: boolean } {
  const [, scheme = '', host = '', port = ''] = /^(https?):\/\/(.+):(\d+)$/.exec(url) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), secure: scheme === 'https' };
}

function addressOf(app: FastifyInstance, secure: boolean): string {
  const [at] = app.addresses();
  invariant(at !== undefined && typeof at !== 'string', 'a listening server has an address and a port');
  const host = at.family === 'IPv6' ? `[${at.address}]` : at.address;
  return `${secure ? 'https' : 'http'}://${host}:${at.port}`;
}
