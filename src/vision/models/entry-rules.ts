import type { ModelEntry } from './entry.ts';

export interface BrokenRule {
  readonly path: readonly PropertyKey[];
  readonly what: string;
  readonly hint: string;
}

/** What an entry's form cannot say by itself. @param name of its file, without `.yaml` */
export function checkEntry(entry: ModelEntry, name: string): BrokenRule[] {
  const { form, files, input, outputs, cut } = entry;
  const broken: BrokenRule[] = [];
  const say = (path: readonly PropertyKey[], what: string, hint: string): void =>
    void broken.push({ path, what, hint });
  if (entry.id !== name) say(['id'], `is ${entry.id}, but the file is ${name}.yaml`, 'the file is named after the id');
  if (form === 'onnx') {
    if (files.length !== 1) say(['files'], `names ${files.length} files`, 'expected: the one .onnx file');
    if (cut !== undefined) say(['cut'], 'is only for form: tfjs', 'take it out');
    if (input.multiple !== undefined)
      say(['input', 'multiple'], 'is only for form: tfjs', 'an .onnx file keeps its size');
  } else if (files.length < 2 || files[0]?.path.endsWith('.json') !== true) {
    say(['files'], 'is not a TFJS graph model', 'expected: the .json first, then its .bin files');
  }
  if (input.colour === 'grey' && input.layout === 'nhwc') {
    say(['input', 'layout'], 'is nhwc with one channel', 'grey pictures are given as nchw');
  }
  for (const [at, output] of outputs.entries()) {
    if (outputs.indexOf(output) !== at) say(['outputs', at], `${output} is there twice`, 'name each output once');
  }
  for (const key of Object.keys(cut ?? {})) {
    if (key !== input.name && !outputs.includes(key)) {
      say(['cut', key], 'is neither the input nor an output', `known: ${[input.name, ...outputs].join(', ')}`);
    }
  }
  for (const [at, size] of input.sizes.entries()) {
    const [width = 0, height = 0] = size.split('x').map(Number);
    const { multiple } = input;
    if (multiple === undefined)
      say(['input', 'sizes', at], 'needs `multiple`', 'say of what other sizes are multiples');
    else if (width % multiple !== 0 || height % multiple !== 0) {
      say(['input', 'sizes', at], `${size} is not made of multiples of ${multiple}`, 'choose another size');
    }
  }
  return broken;
}
