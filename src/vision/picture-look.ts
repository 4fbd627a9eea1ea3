import type { Look } from './camera.ts';
import type { HealthEvent } from './event.ts';
import { PictureHealth } from './health/picture-health.ts';

/**
 * Watches whether a camera's picture is of use.
 * @param health of a camera that is started anew: what it was used to see, and what is told of it
 */
export function pictureLook(
  camera: string,
  tell: (event: HealthEvent) => void,
  health: PictureHealth = new PictureHealth(),
): Look {
  return {
    frame: ({ grey, mono }) => {
      for (const change of health.look(grey, mono)) {
        tell({ type: 'health', camera, ...change, score: Math.round(change.score * 100) / 100 });
      }
    },
  };
}
