import { SimulatedClock } from '../../../src/kernel/clock.ts';
import { createLog } from '../../../src/kernel/log.ts';
import { ForkedInference, type ForkedOptions } from '../../../src/vision/inference/forked.ts';
import type { ChildEvents, Launch } from '../../../src/vision/inference/launch.ts';
import type { ToChild, WirePicture } from '../../../src/vision/inference/wire.ts';
import { ModelEntry, type ModelFile } from '../../../src/vision/models/entry.ts';

/** A child whose every step is the test's, for what would take a real one minutes: waits, limits, give up, come back. */
export class ScriptedChild {
  readonly batches: WirePicture[][] = [];
  readonly events: ChildEvents;
  killed = false;

  constructor(events: ChildEvents) {
    this.events = events;
  }

  ready(): void {
    this.events.message({ type: 'ready' });
  }

  /** Answers the oldest picture that has no answer yet. */
  answer(): void {
    const batch = this.batches.find((one) => one.length > 0);
    const picture = batch?.shift();
    if (picture !== undefined) this.events.message({ type: 'found', n: picture.n, found: [] });
  }

  end(how = 'it was ended by SIGKILL'): void {
    this.events.ended(how);
  }
}

export interface Stage {
  readonly clock: SimulatedClock;
  readonly children: ScriptedChild[];
  /** The newest. */
  child(): ScriptedChild;
  readonly told: (string | null)[];
  readonly inference: ForkedInference;
}

export const persons = (id: string, width = 32, height = 32): ModelFile => ({
  id,
  width,
  height,
  file: `/nowhere/${id}.onnx`,
  entry: ModelEntry.parse({
    id,
    about: { zh: '试', en: 'test' },
    task: 'persons',
    licence: { name: 'none', holder: 'none' },
    source: { path: '.' },
    files: [{ path: 'x.onnx', sha256: '0'.repeat(64) }],
    form: 'onnx',
    input: { name: 'input', width, height, layout: 'nchw', type: 'float32', colour: 'rgb' },
    outputs: ['out'],
    decoder: 'nanodet',
  }),
});

/** An inference whose child has been started. Random waits are the longest possible. */
export async function stage(over: Partial<ForkedOptions> = {}): Promise<Stage> {
  const clock = new SimulatedClock();
  const children: ScriptedChild[] = [];
  const told: (string | null)[] = [];
  const launch: Launch = (events) => {
    const child = new ScriptedChild(events);
    children.push(child);
    return {
      pid: 1,
      send: (message: ToChild) => {
        if (message.type === 'run') child.batches.push([...message.pictures]);
      },
      kill: () => {
        child.killed = true;
        queueMicrotask(() => child.end());
      },
    };
  };
  const starting = ForkedInference.start({
    models: [persons('p')],
    clock,
    log: createLog('test', 'silent'),
    random: () => 0.999,
    launch,
    onDegraded: (reason) => told.push(reason),
    ...over,
  });
  const child = () => children[children.length - 1] as ScriptedChild;
  child().ready();
  return { clock, children, child, told, inference: await starting };
}

/** Lets everything that is due in this turn of the event loop happen. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
