import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { asWritten } from '../../config/camera-overlay.ts';
import { CameraSettings } from '../../config/cameras.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { isMediaReference, mediaFile } from '../../kernel/media.ts';
import { refuseWrongShapes } from '../camera-settings.ts';
import { AlarmView, answers, DeviceId, queryNumber, Time } from '../forms.ts';
import { actorOf } from '../guard.ts';
import { clipsOfCamera } from '../later-evidence.ts';
import { MOST_BYTES, MOST_SECONDS, PIECE_BYTES, Received, Trial, TrialLink } from '../trial-link.ts';
import { passOn } from './cameras.ts';
import type { Api, Context } from './context.ts';

/** Settings of a camera tried on footage before they are saved. Nothing of it is raised, and nothing of it is kept. */

/** Clips that are offered, and alarms that are looked through for what became of them. */
const CLIPS = 60;
const ALARMS = 200;
const PIECE = 'application/octet-stream';

const Named = z.object({ id: DeviceId });
const OneTrial = Named.extend({ trial: z.uuid() });

export const Footage = z.object({
  clips: z
    .array(
      z.object({
        ref: z.string(),
        begins: z.number().describe('About when it begins'),
        alarm: AlarmView.nullable().describe('What was raised then; `null`: not known any more'),
      }),
    )
    .describe('Of alarms of this camera, the newest first'),
  limits: z.object({ seconds: z.int(), bytes: z.int(), piece: z.int() }),
});
export const TrialOrder = z.strictObject({
  settings: CameraSettings,
  footage: z.union([
    z.strictObject({ clip: z.string().max(200).refine(isMediaReference, 'a reference to a clip') }),
    z.strictObject({ upload: z.uuid() }),
  ]),
  begins: Time.nullable().describe('When the footage begins, for `times`; `null`: everything is armed at any time'),
});

export function cameraTrialRoutes(
  app: Api,
  { board, cameras, clock, config, journal, vision, viewers }: Context,
): void {
  const tags = ['cameras'];
  const access = 'manager';
  const link = vision === null ? null : new TrialLink(vision.link);

  const known = (id: string): TrialLink => {
    if (link !== null && cameras.has(id)) return link;
    throw new QuanweiError('NOT_FOUND', `没有此摄像机 · there is no camera ${id}`, { where: id });
  };
  /** Whether it can still be played; `true` where only the vision process on another box knows. */
  const kept = (): ((ref: string) => boolean) => {
    const data = vision?.data ?? '';
    return existsSync(join(data, 'media')) ? (ref) => mediaFile(data, ref) !== null : () => true;
  };

  app.get(
    '/api/cameras/:id/footage',
    {
      config: { access },
      schema: {
        tags,
        summary: '可用来试的录像 clips of earlier alarms that settings can be tried on',
        params: Named,
        response: answers(Footage),
      },
    },
    async ({ params: { id } }) => {
      known(id);
      const alarms = board.page({ device: id, channel: 'camera', limit: ALARMS }).alarms;
      const there = kept();
      const now = clock.wall();
      const messages = await clipsOfCamera(journal, id, alarms, { since: now - config.retention.media, now });
      const clips = messages
        .filter(({ ref }, i, all) => all.findIndex((one) => one.ref === ref) === i && there(ref))
        .slice(0, CLIPS)
        .map(({ ref, at, alarm }) => ({ ref, alarm, begins: beginsOf(ref, at) - config.vision.clip.before }));
      return { clips, limits: { seconds: MOST_SECONDS, bytes: MOST_BYTES, piece: PIECE_BYTES } };
    },
  );

  // Whole in memory: a piece is small, and only managers send any.
  app.addContentTypeParser(PIECE, { parseAs: 'buffer', bodyLimit: PIECE_BYTES }, (_request, bytes, done) =>
    done(null, bytes),
  );
  app.post(
    '/api/cameras/:id/footage',
    {
      config: { access, bodies: [PIECE] },
      bodyLimit: PIECE_BYTES,
      schema: {
        tags,
        summary: `上传录像 a piece of footage to try settings on: MP4, MKV, AVI, at most ${MOST_BYTES / 1e6} MB`,
        description:
          'The body is the next piece of the file; the first one is told the `upload` that the others name. It is kept for twenty minutes, one at a time.',
        params: Named,
        querystring: z.strictObject({
          upload: z.uuid().optional(),
          offset: queryNumber(0, MOST_BYTES),
          total: queryNumber(1, MOST_BYTES),
        }),
        response: answers(Received),
      },
    },
    async (request) => {
      const { upload, offset, total } = request.query;
      const at = known(request.params.id);
      const piece = request.body;
      if (!Buffer.isBuffer(piece) || piece.length === 0) {
        throw new QuanweiError('BAD_REQUEST', '录像是空的 · the footage is empty', { where: 'body' });
      }
      return at.send(upload, offset, total, piece);
    },
  );

  app.post(
    '/api/cameras/:id/trials',
    {
      config: { access },
      schema: {
        tags,
        summary: '试一试 try settings on footage: what would they have raised?',
        description:
          'One at a time. It ends by itself when nobody asks for 90 s; what came of it is known for 15 minutes.',
        params: Named,
        body: TrialOrder,
        response: answers(Trial),
      },
    },
    async (request) => {
      const { id } = request.params;
      const { settings, footage, begins } = request.body;
      const at = known(id);
      refuseWrongShapes(settings);
      const trial = await at.start({ camera: id, settings: asWritten(settings), footage, begins });
      if ('clip' in footage) viewers.looked(actorOf(request), 'evidence', footage.clip);
      return trial;
    },
  );

  app.get(
    '/api/cameras/:id/trials/:trial',
    {
      config: { access },
      schema: {
        tags,
        summary: '试验结果 how far a try is, and what came of it',
        params: OneTrial,
        response: answers(Trial),
      },
    },
    async ({ params: { id, trial } }) => known(id).view(trial, id),
  );

  app.get(
    '/api/cameras/:id/trials/:trial/pictures/:event',
    {
      config: { access, rateLimit: false },
      schema: {
        tags,
        summary: '试验画面 the picture of an event of a try, JPEG',
        params: OneTrial.extend({ event: queryNumber(0, 9_999) }),
        response: answers(z.any()),
      },
    },
    async (request, reply) => {
      const { id, trial, event } = request.params;
      return passOn(await known(id).picture(trial, event, id), reply);
    },
  );

  app.delete(
    '/api/cameras/:id/trials/:trial',
    {
      config: { access },
      schema: { tags, summary: '停止试验 end a try', params: OneTrial, response: answers(Trial) },
    },
    async ({ params: { id, trial } }) => known(id).cancel(trial, id),
  );
}

/** Names of clips begin with the time of what they show (UTC); else, of when they were told. */
function beginsOf(ref: string, told: number): number {
  const [, y, m, d, h, min, s, ms] = /^media\/(\d{4})\/(\d\d)\/(\d\d)\/(\d\d)(\d\d)(\d\d)(\d{3})-/.exec(ref) ?? [];
  return y === undefined ? told : Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}.${ms}Z`);
}
