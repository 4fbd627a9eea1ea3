import { writeFileSync } from 'node:fs';
import { giveWay } from '../../kernel/priority.ts';
import { LoadedModel } from './loaded-model.ts';
import { type FromChild, type ModelSpec, type ToChild, wireError } from './wire.ts';

/**
 * The infer child: nothing but ONNX Runtime and the decoders. `run()` of onnxruntime-node blocks the thread it is called
 * on, and native code may fall over: here it takes nobody along. It answers each picture by itself, in order.
 */

// Before any thread is made that works for us: it goes with us.
giveWay();

const models = new Map<string, LoadedModel>();
const tell = (message: FromChild): void => {
  process.send?.(message);
};

async function load(specs: readonly ModelSpec[]): Promise<void> {
  for (const spec of specs) {
    try {
      models.set(spec.id, await LoadedModel.load(spec));
    } catch (thrown) {
      tell({ type: 'unloadable', error: wireError(thrown, 'BAD_MODEL', spec.file) });
      return;
    }
  }
  tell({ type: 'ready' });
}

async function handle(message: ToChild): Promise<void> {
  if (message.type === 'load') {
    await load(message.models);
    return;
  }
  for (const { n, model: id, input } of message.pictures) {
    try {
      const model = models.get(id);
      if (model === undefined) throw new Error(`model ${id} is not loaded`);
      tell({ type: 'found', n, found: await model.run(input) });
    } catch (thrown) {
      tell({ type: 'failed', n, error: wireError(thrown, 'BAD_MODEL', id) });
    }
  }
}

/** When memory runs out, this is the process to end: it is started again in a second, and nothing else stops. */
function offerMyself(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '800');
  } catch {
    // No Linux, or /proc is closed to us: then the kernel chooses by itself.
  }
}

offerMyself();
let busy: Promise<void> = Promise.resolve();
process.on('message', (message: ToChild) => {
  busy = busy.then(() => handle(message));
});
// Without the vision process there is nobody to work for.
process.on('disconnect', () => process.exit(0));
// A terminal's Ctrl-C reaches the whole group; the vision process decides when we end.
process.on('SIGINT', () => undefined);
