import { z } from 'zod';

/**
 * One file `models/*.yaml`: everything about one model. Nothing else in the code knows the model; its decoder knows only
 * the form of its output. A site adds its own in a directory of its own.
 */

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a sha256 digest: 64 hexadecimal digits');
const Both = z.strictObject({ zh: z.string().min(1).max(400), en: z.string().min(1).max(400) });
const Triple = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);
const FileText = z
  .string()
  .max(200)
  .regex(/^(?!\/)(?!.*\.\.)[\w@./-]+$/, 'a path inside the package');

export const Source = z.union([
  z.strictObject({
    package: z.string().regex(/^(@[\w.-]+\/)?[\w.-]+@\d[\w.-]*$/, 'name@version of an npm package'),
    sha256: Sha256.describe('Digest of the package’s .tgz'),
  }),
  z.strictObject({
    url: z
      .string()
      .max(1_000)
      .regex(/^https:\/\/[^\s/?#]+(\/[^\s?#]*)?$/, 'https://HOST/DIRECTORY')
      .describe('Directory the files are below'),
  }),
  z.strictObject({
    path: z.string().min(1).max(500).describe('Directory on this machine the files are below, relative to the entry'),
  }),
]);

export const ModelEntry = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, 'small letters, digits, dot, dash and underscore'),
  about: Both,
  optional: z.boolean().default(false).describe('Fetched only when it is named'),
  task: z.enum(['persons', 'faces', 'landmarks', 'embedding', 'liveness', 'pose']),
  licence: z.strictObject({
    name: z.string().max(100),
    holder: z.string().max(200),
    note: z.string().max(600).default('').describe('What is not known or not verified'),
  }),
  source: Source,
  files: z
    .array(z.strictObject({ path: FileText, sha256: Sha256 }))
    .min(1)
    .max(8)
    .describe('One .onnx file, or a TFJS graph model: its .json first, then its .bin files'),
  form: z.enum(['onnx', 'tfjs']).describe('tfjs is converted when it is fetched'),
  input: z.strictObject({
    name: z.string().max(200),
    /** Of the input tensor, pixels. A persons model may be made for other sizes: `ID@WIDTHxHEIGHT`. */
    width: z.int().min(16).max(1920),
    height: z.int().min(16).max(1920),
    multiple: z.int().min(1).max(64).optional().describe('Other widths and heights must be multiples of this'),
    sizes: z
      .array(z.string().regex(/^\d{2,4}x\d{2,4}$/, 'WIDTHxHEIGHT'))
      .max(8)
      .default([])
      .describe('Further sizes made beforehand; others when a camera asks for them'),
    layout: z.enum(['nchw', 'nhwc']),
    type: z.enum(['float32', 'int32']),
    colour: z.enum(['rgb', 'bgr', 'grey']),
    /** value = (byte - mean) / std, per channel in the order of `colour` */
    mean: Triple.default(0),
    std: Triple.default(1),
  }),
  outputs: z.array(z.string().max(200)).min(1).max(16).describe('Names, in the order the decoder wants them'),
  cut: z
    .record(z.string().max(200), z.string().max(1_000))
    .optional()
    .describe(
      'tfjs only: the graph’s own name of an input or output; NODE:1 is a second output, NODE[0:1] a part of the last axis',
    ),
  decoder: z.string().max(40).describe('A file in src/vision/decoders'),
  labels: z.array(z.string().max(40)).max(1_000).default([]).describe('Classes that are kept, by number and name'),
  thresholds: z
    .record(z.string().max(40), z.number())
    .default({})
    .describe('What the decoder and its users go by, such as start, continue, nms'),
});

export type ModelEntry = z.output<typeof ModelEntry>;

/** An entry made for one input size, with the file ONNX Runtime loads. */
export interface ModelFile {
  /** `nanodet`, or `nanodet@640x384` for another size than the entry's own */
  readonly id: string;
  readonly entry: ModelEntry;
  readonly width: number;
  readonly height: number;
  /** Absolute path of the .onnx file. */
  readonly file: string;
}
