import { type ErrorCode, messageOf, QuanweiError } from '../../kernel/errors.ts';
import type { ModelFile } from '../models/entry.ts';
import type { Found, Task } from './inference.ts';

/** What passes between the vision process and its infer child (`child_process.fork`, structured clone). */

/** Of a model's entry, what it takes to run it. */
export interface ModelSpec {
  readonly id: string;
  readonly task: Task;
  /** Absolute path of the .onnx file. */
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly input: {
    readonly name: string;
    readonly layout: 'nchw' | 'nhwc';
    readonly type: 'float32' | 'int32';
    readonly colour: 'rgb' | 'bgr' | 'grey';
    readonly mean: number | readonly number[];
    readonly std: number | readonly number[];
  };
  readonly outputs: readonly string[];
  readonly decoder: string;
  readonly labels: readonly string[];
  readonly thresholds: Readonly<Record<string, number>>;
}

/** @param thresholds in place of the entry's own, such as a lower `floor` */
export function specOf(
  { id, entry, file, width, height }: ModelFile,
  thresholds: Record<string, number> = {},
): ModelSpec {
  const { task, decoder, labels, outputs, input } = entry;
  const { name, layout, type, colour, mean, std } = input;
  return {
    id,
    task,
    file,
    width,
    height,
    input: { name, layout, type, colour, mean, std },
    outputs,
    decoder,
    labels,
    thresholds: { ...entry.thresholds, ...thresholds },
  };
}

/** @property n number of the request; @property input rgb24 of the model's input size */
export interface WirePicture {
  readonly n: number;
  readonly model: string;
  readonly input: Uint8Array;
}

export type ToChild =
  | { readonly type: 'load'; readonly models: readonly ModelSpec[] }
  | { readonly type: 'run'; readonly pictures: readonly WirePicture[] };

export type FromChild =
  /** Every model is loaded and has run once. */
  | { readonly type: 'ready' }
  | { readonly type: 'unloadable'; readonly error: WireError }
  | { readonly type: 'found'; readonly n: number; readonly found: Found[Task] }
  | { readonly type: 'failed'; readonly n: number; readonly error: WireError };

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly where?: string | undefined;
  readonly hint?: string | undefined;
}

export function wireError(thrown: unknown, code: ErrorCode, where: string): WireError {
  if (thrown instanceof QuanweiError) {
    return { code: thrown.code, message: thrown.message, where: thrown.where ?? where, hint: thrown.hint };
  }
  return { code, message: messageOf(thrown), where };
}

export const errorOf = ({ code, message, where, hint }: WireError): QuanweiError =>
  new QuanweiError(code, message, {
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
