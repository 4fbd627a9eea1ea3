import { setPriority } from 'node:os';
import { SystemClock, wallMs } from '../../kernel/clock.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { createLog } from '../../kernel/log.ts';
import type { CameraAnalysis, EventContext } from '../analysis/camera-analysis.ts';
import type { Frame } from '../capture/source.ts';
import type { IntrusionEvent } from '../event.ts';
import { jpegOf } from '../jpeg.ts';
import { BUILT_IN_MODELS, loadModels } from '../models/catalogue.ts';
import { ModelStore, modelsDirectory } from '../models/store.ts';
import type { Box, Picture } from '../picture.ts';
import { replay } from './replay.ts';
import type { FromTrial, TrialBox, TrialTask } from './wire.ts';

/**
 * Tries settings on footage: decoder, models and rules of its own, below everybody else's priority. What it finds goes to
 * the vision process and nowhere else.
 */

const QUALITY = 82;

const tell = (message: FromTrial): void => {
  process.send?.(message);
};

const part = (value: number, of: number): number => Math.round(Math.min(1, Math.max(0, value / of)) * 10_000) / 10_000;
const boxOf = ({ x1, y1, x2, y2 }: Box, { width, height }: Picture): TrialBox => [
  part(x1, width),
  part(y1, height),
  part(x2, width),
  part(y2, height),
];
const second = (t: number): number => Math.round(t * 1_000) / 1_000;

async function told(event: IntrusionEvent, { frame, people }: EventContext): Promise<void> {
  const { t, picture } = frame;
  const whose = people.find(({ track }) => track === event.track);
  const { type, zone, track } = event;
  tell({
    type: 'event',
    event: {
      ...{ t: second(t), type, zone, track },
      direction: 'direction' in event ? (event.direction ?? null) : null,
      box: whose === undefined ? null : boxOf(whose.box, picture),
    },
    jpeg: await jpegOf(picture, QUALITY),
  });
}

function seen({ t, mono, picture }: Frame, { counts, people }: CameraAnalysis): void {
  const { frames, detected, poses } = counts;
  tell({
    type: 'frame',
    t: second(t),
    counts: { frames, detected, poses },
    people: people
      .filter(({ confirmed, last }) => confirmed && last.at === mono)
      .map(({ id, last }) => [second(t), id, ...boxOf(last.box, picture)]),
  });
}

async function run(
  { video, camera, timezone, models, begins, most }: TrialTask,
  stop: AbortSignal,
): Promise<FromTrial> {
  const { seconds } = await replay({
    ...{ video, camera, timezone, most, signal: stop },
    catalogue: loadModels([BUILT_IN_MODELS, ...models]),
    store: new ModelStore(modelsDirectory()),
    begins: wallMs(begins),
    clock: new SystemClock(),
    log: createLog('trial', 'silent'),
    opened: (all) => tell({ type: 'opened', seconds: all }),
    event: told,
    frame: seen,
  });
  return { type: 'done', seconds, cut: seconds >= most };
}

function giveWay(priority: number): void {
  try {
    setPriority(priority);
  } catch {
    // Not allowed here: then it is as slow as its share of the processor makes it.
  }
}

const stop = new AbortController();
// Without the vision process there is nobody to tell.
process.on('disconnect', () => stop.abort());
process.on('SIGTERM', () => stop.abort());
// A terminal's Ctrl-C reaches the whole group; the vision process decides when we end.
process.on('SIGINT', () => undefined);
process.once('message', (task: TrialTask) => {
  giveWay(task.priority);
  void run(task, stop.signal)
    .catch((thrown: unknown): FromTrial => {
      const code = thrown instanceof QuanweiError ? thrown.code : 'INVARIANT';
      return { type: 'failed', code, message: messageOf(thrown) };
    })
    // Only when it has been said: closing the channel would take what still waits in it along.
    .then((last) => process.send?.(last, () => process.disconnect()));
});
