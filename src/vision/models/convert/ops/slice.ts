import { axisIn, type Draft, layoutOf, type Value } from '../draft.ts';
import { numbers, type Scene, whole } from '../operator.ts';

/** Elements `from`, `from + step`, … of one axis. */
export interface Span {
  readonly from: number;
  readonly count: number;
  readonly step: number;
}

export function sliceOf(draft: Draft, value: Value, spans: readonly Span[]): Value {
  const shape = spans.map(({ count }) => count);
  const cut = spans
    .map((span, axis) => ({ ...span, axis }))
    .filter(({ count, step, axis }) => count !== value.shape[axis] || step !== 1);
  if (cut.length === 0) return value;
  const layout = value.shape.length === 4 ? layoutOf(value) : 'plain';
  const lists = [
    cut.map(({ from }) => from),
    // An end before the first element has to be far below zero: -1 would be the last one.
    cut.map(({ from, count, step }) => (from + count * step < 0 ? -(2 ** 31) : from + count * step)),
    cut.map(({ axis }) => axisIn(layout, axis)),
    cut.map(({ step }) => step),
  ];
  const name = draft.node('Slice', [draft.name(value, layout), ...lists.map((list) => draft.list(list))]);
  return draft.value(layout, shape, value.type, name);
}

/**
 * What a StridedSlice takes (tensorflow.org/api_docs/python/tf/strided_slice): bit i of a mask is about the i-th entry of
 * begin, end and strides, which is not the i-th axis once there was an ellipsis or a new axis.
 * @returns the spans, and the shape after new axes were put in and single ones taken out
 */
export function stridedSlice(scene: Scene, dims: readonly number[]): { spans: Span[]; shape: number[] } {
  const [begin, end, strides] = [numbers(scene, 1), numbers(scene, 2), numbers(scene, 3)];
  const mask = (name: string) => {
    const bits = whole(scene, name);
    return (at: number) => (bits & (1 << at)) !== 0;
  };
  const [fromStart, toEnd] = [mask('begin_mask'), mask('end_mask')];
  const [ellipsis, fresh, single] = [mask('ellipsis_mask'), mask('new_axis_mask'), mask('shrink_axis_mask')];
  const entries = begin.map((_, at) => at);
  // Entries after an ellipsis count from the last axis back.
  const consuming = entries.filter((at) => !ellipsis(at) && !fresh(at)).length;
  const spans: Span[] = [];
  const shape: number[] = [];
  const all = (dim: number): void => {
    spans.push({ from: 0, count: dim, step: 1 });
    shape.push(dim);
  };
  const rest = (): number => dims[spans.length] ?? 0;
  for (const at of entries) {
    if (ellipsis(at)) {
      for (let skipped = dims.length - consuming; skipped > 0; skipped--) all(rest());
    } else if (fresh(at)) shape.push(1);
    else {
      const dim = rest();
      const step = single(at) ? 1 : (strides[at] ?? 1);
      const bound = (value: number, masked: boolean, ifMasked: number): number => {
        if (masked) return ifMasked;
        const positive = value < 0 ? value + dim : value;
        return step > 0 ? Math.min(Math.max(positive, 0), dim) : Math.min(Math.max(positive, -1), dim - 1);
      };
      const from = bound(begin[at] ?? 0, fromStart(at) && !single(at), step > 0 ? 0 : dim - 1);
      const to = single(at) ? from + 1 : bound(end[at] ?? 0, toEnd(at), step > 0 ? dim : -1);
      const count = Math.max(0, Math.ceil((to - from) / step));
      spans.push({ from, count, step });
      if (!single(at)) shape.push(count);
    }
  }
  while (spans.length < dims.length) all(rest());
  return { spans, shape };
}
