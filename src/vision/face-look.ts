import type { CameraConfig } from '../config/schema.ts';
import type { FaceStep } from './analysis/camera-analysis.ts';
import type { Look } from './camera.ts';
import type { Frame } from './capture/source.ts';
import type { FaceEngine } from './engines.ts';
import type { FaceEvent } from './event.ts';
import { FaceWatch, type Person } from './faces/watch.ts';

/**
 * Recognises people at one camera: beside the analysis of people where there is one, by itself otherwise.
 * `null` when this camera does not ask for it, or the models are not there.
 */
export function faceLook(
  camera: CameraConfig,
  engine: FaceEngine | null,
  tell: (event: FaceEvent) => void,
): (Look & { readonly step: FaceStep }) | null {
  const settings = camera.faces;
  if (settings === false || engine === null) return null;
  const { reader, roster } = engine;
  const watch = new FaceWatch({ camera: camera.id, settings, reader, roster: () => roster.roster, tell });
  let width = 0;
  const see = ({ picture, mono }: Frame, people: readonly Person[]): Promise<void> =>
    watch.see(picture, mono, people, width === 0 ? 1 : width / picture.width);
  return {
    frame: (frame) => see(frame, []),
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
