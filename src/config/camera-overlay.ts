import type { CameraSettings, WrittenSettings } from './cameras.ts';
import type { CameraConfig } from './schema.ts';
import { durationText } from './values.ts';

/** How a camera's settings of the page and of the file go together; the gateway and the vision process do it alike. */

/** The camera with settings of the page in place of the file's, all of them. */
export function withSettings(camera: CameraConfig, settings: CameraSettings): CameraConfig {
  const { threshold: _day, nightThreshold: _night, ...rest } = camera;
  const { faces } = settings;
  // Only the file says which door a face opens.
  const opens = camera.faces === false ? undefined : camera.faces.opens;
  return { ...rest, ...settings, faces: faces === false || opens === undefined ? faces : { ...faces, opens } };
}

/** The part of a camera that the page may change, as one writes it. */
export function asWritten(camera: CameraConfig | CameraSettings): WrittenSettings {
  const { fps, sensitivity, minHeight, threshold, nightThreshold, masks, fences, lines, zones, faces, record } = camera;
  const { opens: _door, ...seen } = faces === false ? {} : { opens: undefined, ...faces };
  return {
    ...{ fps, sensitivity, minHeight, masks, fences, lines, record },
    ...(threshold === undefined ? {} : { threshold }),
    ...(nightThreshold === undefined ? {} : { nightThreshold }),
    zones: zones.map(({ loiter, ...zone }) => ({
      ...zone,
      ...(loiter === undefined ? {} : { loiter: durationText(loiter) }),
    })),
    faces: faces === false ? false : seen,
  };
}
