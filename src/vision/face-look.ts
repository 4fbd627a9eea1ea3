import type { CameraConfig } from '../config/schema.ts';
import type { Log } from '../kernel/log.ts';
import type { FaceStep } from './analysis/camera-analysis.ts';
import type { Look } from './camera.ts';
import { copied } from './capture/colour.ts';
import type { Frame } from './capture/source.ts';
import type { FaceEngine } from './engines.ts';
import type { FaceEvent } from './event.ts';
import { FaceWatch, type Person } from './faces/watch.ts';
import { MotionGate } from './motion.ts';

/**
 * Recognises people at one camera: beside the analysis of people where there is one, by itself otherwise, and then only
 * while something moves or a face is in sight. Nobody waits for it: it works on a picture of its own and passes over the
 * frames that come meanwhile, so that reading a face never keeps a climb waiting.
 * `null` when this camera does not ask for it, or the models are not there.
 */
export function faceLook(
  camera: CameraConfig,
  engine: FaceEngine | null,
  { tell, log }: { tell(event: FaceEvent): void; readonly log: Log },
): (Look & { readonly step: FaceStep }) | null {
  const settings = camera.faces;
  if (settings === false || engine === null) return null;
  const { reader, roster } = engine;
  const watch = new FaceWatch({ camera: camera.id, settings, reader, roster: () => roster.roster, tell });
  const motion = new MotionGate(camera.masks);
  let width = 0;
  let first = true;
  const see = ({ picture, mono }: Frame, people: readonly Person[]): void => {
    if (watch.busy) return;
    const scale = width === 0 ? 1 : width / picture.width;
    watch.see(copied(picture), mono, people, scale).catch((thrown: unknown) => {
      log.error({ err: thrown, camera: camera.id }, 'a frame could not be looked at for faces');
    });
  };
  return {
    frame: (frame) => {
      const moves = motion.moves(frame.grey, frame.mono) || first;
      first = false;
      if (moves || watch.somebody) see(frame, []);
    },
    state: (state) => {
      if (state.state === 'online') width = state.width;
    },
    step: {
      look: (frame, people) =>
        see(
          frame,
          people.map(({ id, last }) => ({ id, box: last.box })),
        ),
    },
  };
}
