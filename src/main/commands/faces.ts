import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { SystemClock } from '../../kernel/clock.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { createLog } from '../../kernel/log.ts';
import { gradeOf, REASONS } from '../../vision/faces/quality.ts';
import { falseAcceptRate } from '../../vision/faces/rates.ts';
import type { Face, FaceReader } from '../../vision/faces/reader.ts';
import { cosine } from '../../vision/faces/roster.ts';
import { faceModels, type RunningFaces, startFaces } from '../../vision/faces/start.ts';
import { loadPicture } from '../../vision/images.ts';
import { loadSettings, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';

/** Cosines that mean something: the lenient setting and the one that opens a door. */
const LENIENT = 0.45;
const USUAL = 0.5;
/** Files that are decoded while the models are at work on another. */
const AHEAD = 3;

interface FacesOptions extends Place {
  readonly list?: string;
}

export function addFaces(program: Command): void {
  const faces = withPlace(program.command('faces'))
    .description('人脸 find faces in pictures, measure them and compare them')
    .argument('[image...]', '图片 pictures; prints one JSON object a picture')
    .option(
      '--list <file>',
      '图片清单（每行一个，- 为标准输入） a file of picture paths, one a line; - is standard input',
    )
    .option('--json', '每张图片一行 JSON（总是如此） one JSON object a line; as it always is')
    .action(readAll);
  withPlace(faces.command('compare'))
    .description('比较 whether the largest faces of two pictures are one person')
    .argument('<a>', '图片 a picture')
    .argument('<b>', '图片 a picture')
    .option('--json', 'one JSON object')
    // Options that both have are taken by the outer one, wherever they stand.
    .action((a: string, b: string, _own: object, command: Command) =>
      compare(a, b, command.optsWithGlobals<Place & { json?: true }>()),
    );
}

/** The face models, warm. Standard output is the command’s: what goes wrong is thrown. @param place whose configuration may name further models; none is needed */
export async function openFaces(place: Place): Promise<RunningFaces> {
  const own = place.config === undefined ? [] : loadSettings(place).config.vision.models;
  return startFaces(await faceModels(own), {
    clock: new SystemClock(),
    log: createLog('faces', 'silent'),
    random: Math.random,
  });
}

/** Reads the faces of one file. @throws QuanweiError BAD_PICTURE, VISION_DEGRADED */
export async function readFile(reader: FaceReader, file: string, live: boolean): Promise<Face[]> {
  const faces = await reader.read(await loadPicture(file), file, { live });
  if (faces === null) throw new QuanweiError('VISION_DEGRADED', 'the models gave no answer', { where: file });
  return faces;
}

async function readAll(images: string[], options: FacesOptions): Promise<void> {
  const files = [...images, ...(options.list === undefined ? [] : listed(options.list))];
  if (files.length === 0) throw new QuanweiError('BAD_USE', 'name a picture', { hint: 'quanwei faces --help' });
  const running = await openFaces(options);
  const terminal = new Terminal();
  try {
    const waiting: Promise<object>[] = [];
    let next = 0;
    while ((next < files.length || waiting.length > 0) && !terminal.gone) {
      while (next < files.length && waiting.length < AHEAD) {
        waiting.push(lineOf(running.reader, files[next] as string));
        next += 1;
      }
      const line = await waiting.shift();
      if (line !== undefined && 'error' in line) process.exitCode = 1;
      await terminal.json(line);
    }
    await Promise.all(waiting);
  } finally {
    await running.close();
  }
}

function listed(file: string): string[] {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  } catch (cause) {
    throw new QuanweiError('BAD_USE', `the list cannot be read: ${messageOf(cause)}`, { where: file, cause });
  }
}

/** One bad picture is said and the others go on. */
async function lineOf(reader: FaceReader, file: string): Promise<object> {
  try {
    return { file, faces: (await readFile(reader, file, true)).map(printed) };
  } catch (thrown) {
    const error = thrown instanceof QuanweiError ? `${thrown.code}: ${thrown.message}` : messageOf(thrown);
    return { file, error };
  }
}

/** Pixels to a hundredth; the embedding as exactly as it is. */
function printed({ box, score, points, quality, live, embedding }: Face): object {
  const { grade, reasons } = gradeOf(quality);
  return {
    box: [box.x1, box.y1, box.x2, box.y2].map(hundredth),
    score: exact(score),
    landmarks: points.map(({ x, y }) => [hundredth(x), hundredth(y)]),
    quality: { ...quality, grade, reasons: reasons.map((code) => ({ code, ...REASONS[code] })) },
    live: live === null ? null : exact(live),
    embedding: Array.from(embedding, exact),
  };
}

const hundredth = (value: number): number => Math.round(value * 100) / 100;
/** Nine digits tell every 32-bit float from every other. */
const exact = (value: number): number => Number(value.toPrecision(9));

async function compare(a: string, b: string, options: Place & { json?: true }): Promise<void> {
  const running = await openFaces(options);
  try {
    const [first, second] = [await best(running.reader, a), await best(running.reader, b)];
    const similarity = cosine(first.embedding, second.embedding);
    const same = similarity >= USUAL ? 'yes' : similarity >= LENIENT ? 'likely' : 'no';
    const rate = falseAcceptRate(similarity);
    const terminal = new Terminal();
    if (same === 'no') process.exitCode = 1;
    if (options.json === true) {
      const thresholds = { usual: USUAL, lenient: LENIENT };
      return await terminal.json({ a, b, cosine: similarity, same, thresholds, falseAcceptRate: rate });
    }
    const verdict = {
      yes: '✓ 同一人 the same person',
      likely: '? 可能是同一人（宽松阈值） perhaps the same person (lenient setting)',
      no: '✗ 不是同一人 not the same person',
    }[same];
    await terminal.line(`${verdict}`);
    await terminal.line(`  余弦 cosine ${similarity.toFixed(4)}（阈值 thresholds ${USUAL} / ${LENIENT}）`);
    await terminal.line(
      `  两个不同的人达到此相似度的比例约 two strangers are this alike in about ${rate.toExponential(1)} of pairs`,
    );
    for (const [name, { quality }] of [[a, first] as const, [b, second] as const]) {
      const { grade, reasons } = gradeOf(quality);
      if (grade === 'good') continue;
      const why = reasons.map((code) => `${REASONS[code].zh} ${REASONS[code].en}`).join('; ');
      await terminal.line(`  ! ${name}: ${why}`);
    }
  } finally {
    await running.close();
  }
}

async function best(reader: FaceReader, file: string): Promise<Face> {
  const [face] = await readFile(reader, file, false);
  if (face !== undefined) return face;
  throw new QuanweiError('BAD_PICTURE', '没有找到人脸 there is no face in it', { where: file });
}
