import type { Look } from './camera.ts';
import type { HealthEvent } from './event.ts';
import { PictureHealth } from './health/picture-health.ts';

/** Watches whether a camera's picture is of use. */
export function pictureLook(camera: string, tell: (event: HealthEvent) => void): Look {
  const health = new PictureHealth();
  return {
    frame: ({ grey, mono }) => {
      for (const change of health.look(grey, mono)) {
        tell({ type: 'health', camera, ...change, score: Math.round(change.score * 100) / 100 });
      }
    },
  };
}
