import type { CameraConfig } from '../config/schema.ts';
import { CameraAnalysis, type EventContext, type FaceStep, type MotionGate } from './analysis/camera-analysis.ts';
import type { Look } from './camera.ts';
import type { PeopleEngine } from './engines.ts';
import type { IntrusionEvent } from './event.ts';
import { looksForPeople, POSE } from './needed-models.ts';

/** Score from which somebody is a person, when the model's entry does not say. */
const START = 0.4;

/** Looks for people and for what they do; `null` when this camera asks for nothing of it, or its model is not there. */
export function peopleLook(
  camera: CameraConfig,
  engine: PeopleEngine | null,
  parts: {
    readonly timezone: string;
    readonly motion: MotionGate;
    readonly faces: FaceStep | undefined;
    report(event: IntrusionEvent, context: EventContext): void;
  },
): Look | null {
  const model = engine?.models.get(camera.detector);
  if (!looksForPeople(camera) || engine === null || model === undefined) return null;
  const { start = START, continue: least = start / 2 } = model.entry.thresholds;
  const analysis = new CameraAnalysis({
    ...parts,
    camera,
    inference: engine.inference,
    detector: { id: model.id, start, continue: least },
    pose: engine.models.has(POSE) ? POSE : null,
  });
  return { frame: (frame) => analysis.feed(frame) };
}
