import type { CameraConfig } from '../../config/schema.ts';
import type { FaceStep } from '../analysis/camera-analysis.ts';
import type { Frame } from '../capture/source.ts';
import type { FaceEvent } from '../event.ts';
import type { FaceReader } from '../faces/reader.ts';
import type { Roster } from '../faces/roster.ts';
import { FaceWatch, type Person } from '../faces/watch.ts';
import { MotionGate } from '../motion.ts';
import { looksForPeople } from '../needed-models.ts';

/** What faces of footage are compared with. */
export interface ReplayedGallery {
  readonly reader: FaceReader;
  roster(): Roster;
  close(): Promise<void>;
}

/**
 * Faces of footage: in the same frames as at a camera (`faceLook`), but waited for, so that the same footage tells the same
 * on a slow machine. `null` when the camera does not ask for it.
 */
export function replayedFaces(
  camera: CameraConfig,
  { reader, roster }: ReplayedGallery,
  tell: (event: FaceEvent) => void,
): { readonly step: FaceStep; look(frame: Frame): Promise<void>; width(of: number): void } | null {
  const settings = camera.faces;
  if (settings === false) return null;
  const watch = new FaceWatch({ camera: camera.id, settings, reader, roster, tell });
  const motion = new MotionGate(camera.masks);
  const beside = looksForPeople(camera);
  let offered: readonly Person[] | null = null;
  let width = 0;
  return {
    width: (of) => {
      width = of;
    },
    step: {
      look: (_, people) => {
        offered = people.map(({ id, last }) => ({ id, box: last.box }));
      },
    },
    look: async ({ n, grey, picture, mono }) => {
      const people = offered;
      offered = null;
      const moves = motion.moves(grey, mono) || n === 0;
      if (beside ? people === null : !moves && !watch.somebody) return;
      await watch.see(picture, mono, beside ? (people ?? []) : [], width === 0 ? 1 : width / picture.width);
    },
  };
}
