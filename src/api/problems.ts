import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ERRORS, type ErrorCode, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { type RefusedField, refusedField } from './refused-field.ts';

const CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

/** What every refused or failed request is answered. */
export const Problem = z
  .object({
    error: z.object({
      code: z.enum(CODES),
      message: z.string(),
      where: z.string().optional(),
      hint: z.string().optional(),
    }),
    current: z.unknown().optional().describe('With CONFLICT: the thing as it is now'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.output<typeof Problem>;

/** CONFLICT that carries the thing as it is now, so that the page shows it without asking again. */
export class Outdated extends QuanweiError {
  readonly current: unknown;
  constructor(conflict: QuanweiError, current: unknown) {
    super('CONFLICT', conflict.message, { ...detailsOf(conflict), cause: conflict });
    this.current = current;
  }
}

const detailsOf = ({ where, hint }: QuanweiError): { where?: string; hint?: string } => ({
  ...(where === undefined ? {} : { where }),
  ...(hint === undefined ? {} : { hint }),
});

/** Turns whatever was thrown into an answer; what is not the caller's fault is logged. */
export function answerProblem(log: Log) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = understand(thrown);
    if (error.family !== 'caller')
      log.error({ err: thrown, method: request.method, url: request.url }, 'request failed');
    const body: Problem = {
      error: {
        code: error.code,
        message: error.family === 'bug' ? ERRORS.INVARIANT.text : error.message,
        ...detailsOf(error),
      },
      ...(error instanceof Outdated ? { current: error.current } : {}),
    };
    // Past the route's own schemas: an error is answered whatever they say.
    return reply.code(error.status).type('application/json; charset=utf-8').serializer(JSON.stringify).send(body);
  };
}

function malformed(field: RefusedField | undefined, part: string): QuanweiError {
  const { path = [], zh = '', en = 'the request is malformed' } = field ?? {};
  const name = path.join('.');
  const [nameZh, nameEn] = name === '' ? ['', ''] : [`${name} `, `${name}: `];
  return new QuanweiError('BAD_REQUEST', `请求格式不对：${nameZh}${zh} · ${nameEn}${en}`, {
    where: [part, ...path].join('/'),
    hint: '/api/openapi.json has the form of every request',
  });
}

/** What is wrong with a request that fastify itself refuses; its own words are English. */
function unreadable(status: number, code: unknown, thrown: unknown): string {
  if (thrown instanceof SyntaxError || String(code).includes('JSON')) return '请求内容不是有效的 JSON';
  return status === 413 ? '请求内容太大' : '请求无法读取';
}

function understand(thrown: unknown): QuanweiError {
  if (thrown instanceof QuanweiError) return thrown;
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    return malformed(thrown.validation.map(refusedField)[0], thrown.validationContext ?? 'request');
  }
  if (isResponseSerializationError(thrown)) {
    return new QuanweiError('INVARIANT', 'an answer did not have the form it promises', { cause: thrown });
  }
  const { statusCode, code, message } = thrown as { statusCode?: unknown; code?: unknown; message?: unknown };
  if (statusCode === 429) return new QuanweiError('TOO_MANY', '请求过于频繁，请稍候 · too many requests; wait');
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new QuanweiError('BAD_REQUEST', `${unreadable(statusCode, code, thrown)} · ${String(message)}`);
  }
  return new QuanweiError('INVARIANT', String(message), { cause: thrown });
}
