import { isEverywhere, isLoopback } from './addresses.ts';
import { SHAPE_FAULTS, shapeFaults } from './camera-shapes.ts';
import { wantsVision } from './cameras.ts';
import type { CameraConfig, GatewayConfig } from './schema.ts';
import type { Path } from './yaml-source.ts';

type Say = (path: Path, what: string, hint: string) => void;

export interface Told {
  readonly wrong: Say;
  readonly warn: Say;
  /** `file:line:column` of a key. */
  locate(path: Path): string;
}

/** What the form of a camera's keys cannot tell: whether what was drawn can be a fence, and who is where. */
export function checkVision({ cameras, vision, devices, mqtt }: GatewayConfig, told: Told): void {
  const known = new Set(devices.map(({ id }) => id));
  cameras.forEach((camera, i) => {
    const path = ['cameras', i];
    checkShapes(camera, path, told);
    if (camera.faces === false || camera.faces.opens === undefined || known.has(camera.faces.opens)) return;
    told.wrong(
      [...path, 'faces', 'opens'],
      `there is no device '${camera.faces.opens}' in this file`,
      'name a door of devices',
    );
  });
  if (wantsVision({ cameras, vision })) checkPlace(vision, mqtt, told);
}

function checkPlace(vision: GatewayConfig['vision'], mqtt: GatewayConfig['mqtt'], { wrong, warn }: Told): void {
  if (vision.broker === undefined) {
    if (vision.ca === undefined && mqtt.listen.every(({ url }) => url.startsWith('mqtts:'))) {
      wrong(
        ['mqtt', 'listen'],
        'the vision process of this box has no way to log in',
        'add mqtt://127.0.0.1:1883, or name the CA of the gateway’s certificate as vision.ca',
      );
    }
    if (!isLoopback(vision.listen)) {
      warn(['vision', 'listen'], 'pictures are served to the network', 'http://127.0.0.1:8090, as the gateway is here');
    }
    return;
  }
  if (vision.secret === undefined) {
    wrong(['vision', 'broker'], 'secret is missing', 'on another box it cannot be made by itself: give vision.secret');
  }
  if (isLoopback(vision.listen) || isEverywhere(vision.listen)) {
    warn(
      ['vision', 'listen'],
      'the gateway cannot fetch pictures from there',
      'name the address of the vision box that the gateway reaches',
    );
  }
}

function checkShapes(camera: CameraConfig, path: Path, { wrong, warn, locate }: Told): void {
  for (const { fault, at, other, grave } of shapeFaults(camera)) {
    const { en, hint } = SHAPE_FAULTS[fault];
    const what = other === undefined ? en : `'${String(other.id)}' ${en} at ${locate([...path, ...other.at])}`;
    (grave ? wrong : warn)([...path, ...at], what, hint);
  }
}
