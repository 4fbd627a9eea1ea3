import { SystemClock } from '../../../src/kernel/clock.ts';
import { FaceReader } from '../../../src/vision/faces/reader.ts';
import { ForkedInference } from '../../../src/vision/inference/forked.ts';
import { model } from '../../support/vision-material.ts';
import { quiet } from './support.ts';

/** The real models in a real child; the caller closes it. */
export async function realReader(): Promise<{ reader: FaceReader; inference: ForkedInference }> {
  const [faces, landmarks, embedding, liveness] = [
    await model('fr_detect'),
    await model('fr_landmark'),
    await model('fr_feature'),
    await model('fr_liveness'),
  ];
  const inference = await ForkedInference.start({
    models: [faces, landmarks, embedding, liveness],
    clock: new SystemClock(),
    log: quiet,
    random: Math.random,
  });
  return { reader: new FaceReader(inference, { faces, landmarks, embedding, liveness }), inference };
}
