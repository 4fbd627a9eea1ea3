import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { CameraSettings } from '../../config/cameras.ts';
import { type ErrorCode, messageOf, QuanweiError } from '../../kernel/errors.ts';
import type { Trials } from '../trial/trials.ts';
import type { Uploads } from '../trial/uploads.ts';
import { body, json, refuse } from './answers.ts';

/** What the gateway may ask of settings that are tried on footage. */
export interface ServedTrials {
  readonly trials: Pick<Trials, 'start' | 'view' | 'picture' | 'cancel'>;
  readonly uploads: Pick<Uploads, 'take' | 'path'>;
  /** Path of a clip that is kept here. @throws QuanweiError NOT_FOUND */
  clip(ref: string): string;
}

const Order = z.strictObject({
  camera: z.string().max(64),
  settings: CameraSettings,
  footage: z.union([z.strictObject({ clip: z.string().max(200) }), z.strictObject({ upload: z.uuid() })]),
  begins: z.number().nullable(),
});
/** As much as a person may send of one camera. */
const ORDER = 128 * 1024;

const Whole = z.coerce.number().pipe(z.int().min(0));
const Piece = z.object({ upload: z.uuid().nullable(), offset: Whole, total: Whole });

const ONE = /^\/trials\/([0-9a-f-]{36})$/;
const PICTURE = /^\/trials\/([0-9a-f-]{36})\/pictures\/(\d{1,4})$/;

const STATUS: Partial<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  NOT_FOUND: 404,
  TOO_MANY: 429,
  STORAGE_FULL: 507,
  VISION_DEGRADED: 503,
};

export function trialRoute(
  served: ServedTrials | undefined,
  path: string,
  search: URLSearchParams,
  request: IncomingMessage,
  answer: ServerResponse,
): ServerResponse {
  if (served === undefined) return refuse(answer, 404, 'nothing is tried here');
  const { trials, uploads, clip } = served;
  const tell = (work: () => unknown): ServerResponse => {
    const working = async () => json(answer, await work());
    void working().catch((thrown: unknown) => problem(answer, thrown));
    return answer;
  };
  const { method } = request;
  if (method === 'POST' && path === '/trials') {
    return body(request, answer, ORDER, (sent) =>
      tell(() => {
        const { footage, ...order } = read(Order, () => JSON.parse(sent.toString()));
        const video = 'clip' in footage ? clip(footage.clip) : uploads.path(footage.upload);
        return trials.start({ ...order, video });
      }),
    );
  }
  if (method === 'POST' && path === '/trial-footage') {
    return tell(() => {
      const [upload, offset, total] = ['upload', 'offset', 'total'].map((name) => search.get(name));
      return uploads.take(
        read(Piece, () => ({ upload, offset, total })),
        request,
      );
    });
  }
  // The gateway says whose it has to be: it need not fetch all of a try to see that a picture is of another camera.
  const camera = search.get('camera');
  const [, id = ''] = ONE.exec(path) ?? [];
  if (id !== '' && method === 'GET') return tell(() => trials.view(id, camera));
  if (id !== '' && method === 'DELETE') return tell(() => trials.cancel(id, camera));
  const [, of = '', event = ''] = PICTURE.exec(path) ?? [];
  if (of === '' || method !== 'GET') return refuse(answer, 404, 'there is no such thing');
  try {
    const jpeg = trials.picture(of, Number(event), camera);
    answer.writeHead(200, {
      'content-type': 'image/jpeg',
      'content-length': jpeg.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    return answer.end(jpeg);
  } catch (thrown) {
    return problem(answer, thrown);
  }
}

function read<T>(form: z.ZodType<T>, text: () => unknown): T {
  let said: unknown;
  try {
    said = text();
  } catch (cause) {
    throw new QuanweiError('BAD_REQUEST', 'it is not JSON', { cause });
  }
  const parsed = form.safeParse(said);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new QuanweiError('BAD_REQUEST', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong form'}`);
}

/** The gateway says it to people, in their words: here it is a code. */
function problem(answer: ServerResponse, thrown: unknown): ServerResponse {
  const code = thrown instanceof QuanweiError ? thrown.code : 'INVARIANT';
  if (answer.headersSent) return answer.destroy();
  return json(answer, { code, message: messageOf(thrown).slice(0, 300) }, STATUS[code] ?? 500);
}
