import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { PlanPictures } from '../../compound/plan-picture.ts';
import type { Plans } from '../../compound/plans.ts';
import type { HealthCheck } from '../health.ts';
import type { Live } from '../live.ts';
import type { ApiParts, ApiVision } from '../ports.ts';
import type { Sessions } from '../sessions.ts';
import type { SignInAttempts } from '../sign-in-attempts.ts';
import type { Viewers } from '../viewers.ts';

/** The server as the routes see it: requests are typed by their schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What the routes work with. */
export interface Context extends ApiParts {
  readonly sessions: Sessions;
  readonly attempts: SignInAttempts;
  readonly live: Live;
  readonly health: HealthCheck;
  readonly plans: Plans;
  readonly pictures: PlanPictures;
  readonly vision: ApiVision | null;
  readonly viewers: Viewers;
  readonly cookie: { readonly name: string; readonly secure: boolean };
}
