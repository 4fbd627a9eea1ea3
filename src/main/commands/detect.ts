import { open } from 'node:fs/promises';
import type { Command } from 'commander';
import { SystemClock } from '../../kernel/clock.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { createLog } from '../../kernel/log.ts';
import { isPicture, loadFitted } from '../../vision/images.ts';
import { openFootage } from '../../vision/inference/footage.ts';
import { ForkedInference } from '../../vision/inference/forked.ts';
import type { ModelFile } from '../../vision/models/entry.ts';
import { fetchModels } from '../../vision/models/fetch.ts';
import { ModelStore, modelsDirectory } from '../../vision/models/store.ts';
import { type Detection, type Letterbox, unletterbox } from '../../vision/picture.ts';
import { StepLine } from '../step-line.ts';
import { Terminal } from '../terminal.ts';
import { share, wholeNumber } from './arguments.ts';
import { catalogueOf, type ModelOptions, withModels } from './models.ts';

interface Options extends ModelOptions {
  readonly model: string;
  readonly every: number;
  readonly threshold: number;
}

/** Low: whoever measures a model wants its whole curve; whoever only wants to see people asks for more. */
const THRESHOLD = 0.05;
/** Pictures that are with the child while ffmpeg decodes the next. */
const AHEAD = 4;
/** How often a picture is tried that was lost with a child. */
const TRIES = 3;

export function addDetect(program: Command): void {
  withModels(program.command('detect'))
    .description('在图片或录像里找人 find people or faces in a picture or a video')
    .argument('<file>', '图片或录像 a picture or a video')
    .option('--model <id>', '模型 a model, or ID@WIDTHxHEIGHT', 'nanodet')
    .option('--every <n>', '录像每 N 帧取一 every n-th frame of a video', wholeNumber(1, 1_000_000), 1)
    .option('--threshold <score>', '最低得分 least score, 0 to 1', share, THRESHOLD)
    .option('--json', '每帧一行 JSON, one JSON object a frame')
    .action(async (file: string, options: Options) => {
      const head = await beginning(file);
      const model = await modelFor(options);
      const clock = new SystemClock();
      // Clocks of this house keep no process alive; a child that is being started again must not let it end.
      const awake = setInterval(() => undefined, 60_000);
      let inference: ForkedInference | null = null;
      try {
        inference = await ForkedInference.start({
          models: [model],
          clock,
          log: createLog('detect', 'silent'),
          random: Math.random,
          thresholds: { floor: options.threshold },
        });
        const terminal = new Terminal();
        const tell = options.json === true ? inJson(terminal) : inWords(terminal);
        const found = isPicture(head)
          ? inPicture(file, model, inference)
          : inFootage(file, model, options.every, inference, clock);
        for await (const one of found) {
          if (terminal.gone) break;
          await tell(one);
        }
      } finally {
        clearInterval(awake);
        await inference?.close();
      }
    });
}

interface Told {
  readonly frame: number;
  readonly boxes: readonly Detection[];
}

async function* inPicture(file: string, model: ModelFile, inference: ForkedInference): AsyncGenerator<Told> {
  const { input, place, width, height, notes } = await loadFitted(file, model);
  for (const note of notes) process.stderr.write(`${file}: ${note}\n`);
  yield { frame: 0, boxes: inSource(await find(inference, model, input.data), place, width, height) };
}

async function* inFootage(
  file: string,
  model: ModelFile,
  every: number,
  inference: ForkedInference,
  clock: SystemClock,
): AsyncGenerator<Told> {
  const { width, height, place, frames } = await openFootage(file, model, every, { clock });
  const ahead: { frame: number; found: Promise<readonly Detection[]> }[] = [];
  const next = async (): Promise<Told[]> => {
    const first = ahead.shift();
    if (first === undefined) return [];
    return [{ frame: first.frame, boxes: inSource(await first.found, place, width, height) }];
  };
  for await (const { frame, input } of frames) {
    const found = find(inference, model, input);
    // Awaited in its turn; until then nobody else shall call it unhandled.
    found.catch(() => undefined);
    ahead.push({ frame, found });
    if (ahead.length >= AHEAD) yield* await next();
  }
  while (ahead.length > 0) yield* await next();
}

async function find(
  inference: ForkedInference,
  { id, entry }: ModelFile,
  input: Uint8Array,
): Promise<readonly Detection[]> {
  const task = entry.task === 'faces' ? 'faces' : 'persons';
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const found = await inference.run(task, id, input, 'detect');
    if (found !== null) return found;
  }
  throw new QuanweiError('VISION_DEGRADED', `the infer child ended ${TRIES} times over one picture`);
}

/** Boxes in pixels of the source, cut at its edges; what lies in the padding alone is none. */
function inSource(boxes: readonly Detection[], place: Letterbox, width: number, height: number): Detection[] {
  return boxes.flatMap((box) => {
    const { x1, y1, x2, y2, score } = unletterbox(box, place);
    const cut = { x1: Math.max(0, x1), y1: Math.max(0, y1), x2: Math.min(width, x2), y2: Math.min(height, y2), score };
    return cut.x2 > cut.x1 && cut.y2 > cut.y1 ? [cut] : [];
  });
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

const inJson =
  (terminal: Terminal) =>
  ({ frame, boxes }: Told): Promise<void> =>
    terminal.json({
      frame,
      boxes: boxes.map(({ x1, y1, x2, y2, score }) => [
        ...[x1, y1, x2, y2].map((v) => rounded(v, 2)),
        rounded(score, 4),
      ]),
    });

const inWords =
  (terminal: Terminal) =>
  async ({ frame, boxes }: Told): Promise<void> => {
    await terminal.line(`第 ${frame} 帧 frame ${frame}: ${boxes.length}`);
    for (const { x1, y1, x2, y2, score } of boxes) {
      const [left, top, width, height] = [x1, y1, x2 - x1, y2 - y1].map(Math.round);
      await terminal.line(`  ${score.toFixed(2)}  ${width}×${height} + (${left}, ${top})`);
    }
  };

/** Bytes by which a picture is told from a video. @throws QuanweiError BAD_PICTURE */
async function beginning(file: string): Promise<Uint8Array> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new QuanweiError('BAD_PICTURE', why, { where: file, cause });
  };
  const handle = await open(file, 'r').catch((thrown: NodeJS.ErrnoException) =>
    refuse(thrown.code === 'ENOENT' ? 'there is no such file' : messageOf(thrown), thrown),
  );
  try {
    if (!(await handle.stat()).isFile()) refuse('this is no file');
    const { bytesRead, buffer } = await handle.read(new Uint8Array(64), 0, 64, 0);
    if (bytesRead === 0) refuse('the file is empty');
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The model, made now when it was not made before; in most cases that needs no network. */
async function modelFor(options: Options): Promise<ModelFile> {
  const wanted = catalogueOf(options).wanted(options.model);
  if (wanted.entry.task !== 'persons' && wanted.entry.task !== 'faces') {
    throw new QuanweiError('BAD_USE', `model ${wanted.id} is for ${wanted.entry.task} and finds no boxes`);
  }
  const store = new ModelStore(modelsDirectory());
  if ((await store.state(wanted)) !== 'ready') {
    const steps = new StepLine(process.stderr);
    const [fetched] = await fetchModels([wanted], store, {
      progress: ({ step, bytes }) => steps.show(step, bytes),
    }).finally(() => steps.end());
    if (fetched?.failed) throw fetched.failed;
  }
  return store.open(wanted);
}
