import { wantsVision } from '../config/cameras.ts';
import type { DeviceConfig, GatewayConfig } from '../config/schema.ts';

const PROCESS_PROFILE = 'quanwei-vision';
const CAMERA_PROFILE = 'quanwei-camera';

/**
 * The vision process and its cameras as devices of the configuration file: registered, graded and supervised as any
 * other, the process as the hub that speaks for the cameras. Without cameras and pictures of doors there is no vision process to miss.
 */
export function visionDevices(
  { cameras, vision }: Pick<GatewayConfig, 'cameras' | 'vision'>,
  secret: string,
): DeviceConfig[] {
  if (!wantsVision({ cameras, vision })) return [];
  return [
    { id: vision.id, profile: PROCESS_PROFILE, name: '视觉进程', place: '', secret, params: {} },
    ...cameras.map(({ id, name, place }) => ({
      id,
      profile: CAMERA_PROFILE,
      ...(name === undefined ? {} : { name }),
      place,
      hub: vision.id,
      params: { box: vision.id },
    })),
  ];
}
