import { commonLayout, type Draft, layoutOf, type Value } from '../draft.ts';
import type { Attributes } from '../onnx.ts';
import { TYPE_NUMBERS } from '../onnx.ts';
import { input, type Operator, type Operators, real, type Scene, typeOf } from '../operator.ts';
import { broadcastShape, type DataType } from '../tensor.ts';

/** Operators that work on each element by itself: they keep the form their picture has. */

export function unary(draft: Draft, op: string, value: Value, attributes: Attributes = {}, rest: string[] = []): Value {
  const layout = layoutOf(value);
  return draft.value(layout, value.shape, value.type, draft.node(op, [draft.name(value, layout), ...rest], attributes));
}

export function binary(
  draft: Draft,
  op: string,
  values: readonly Value[],
  type?: DataType,
  attributes: Attributes = {},
): Value {
  const layout = commonLayout(values);
  const shape = broadcastShape(...values.map((value) => value.shape));
  const names = values.map((value) => draft.spread(value, layout));
  return draft.value(
    layout,
    shape,
    type ?? values[values.length - 1]?.type ?? 'float32',
    draft.node(op, names, attributes),
  );
}

/** An activation by TensorFlow's name; `null` when it is none. @param alpha of the leaky ones */
export function activation(draft: Draft, op: string, value: Value, alpha: number): Value | null {
  switch (op) {
    case 'Relu':
    case 'Elu':
    case 'Sigmoid':
    case 'Tanh':
    case 'Softplus':
    case 'Softsign':
    case 'Selu':
      return unary(draft, op, value);
    case 'Relu6':
      return unary(draft, 'Clip', value, {}, [draft.scalar(0), draft.scalar(6)]);
    case 'LeakyRelu':
      return unary(draft, 'LeakyRelu', value, { alpha: { float: alpha } });
    default:
      return null;
  }
}

const active: Operator = (scene) => {
  const made = activation(scene.draft, scene.node.op, input(scene, 0), real(scene, 'alpha', 0.2));
  if (made === null) throw scene.draft.wrong('is no activation');
  return made;
};

const one =
  (op: string, attributes: Attributes = {}): Operator =>
  (scene) =>
    unary(scene.draft, op, input(scene, 0), attributes);

const two =
  (op: string, type?: DataType): Operator =>
  (scene) =>
    binary(scene.draft, op, pair(scene), type);

const pair = (scene: Scene): [Value, Value] => [input(scene, 0), input(scene, 1)];

/** Rounds down, also below zero, where ONNX's Div of whole numbers rounds towards zero. */
const floorDiv: Operator = (scene) => {
  const { draft } = scene;
  const [a, b] = pair(scene);
  if (a.type === 'float32') return unary(draft, 'Floor', binary(draft, 'Div', [a, b]));
  return binary(draft, 'Div', [binary(draft, 'Sub', [a, binary(draft, 'Mod', [a, b])]), b]);
};

/** Has the sign of the divisor, as ONNX's Mod of whole numbers has. */
const floorMod: Operator = (scene) => {
  const { draft } = scene;
  const [a, b] = pair(scene);
  if (a.type !== 'float32') return binary(draft, 'Mod', [a, b]);
  const times = unary(draft, 'Floor', binary(draft, 'Div', [a, b]));
  return binary(draft, 'Sub', [a, binary(draft, 'Mul', [times, b])]);
};

const squaredDifference: Operator = (scene) => {
  const difference = binary(scene.draft, 'Sub', pair(scene));
  return binary(scene.draft, 'Mul', [difference, difference]);
};

const cast: Operator = (scene) => {
  const { draft } = scene;
  const value = input(scene, 0);
  const type = typeOf(scene, 'DstT');
  const layout = layoutOf(value);
  const name = draft.node('Cast', [draft.name(value, layout)], { to: TYPE_NUMBERS[type] });
  return draft.value(layout, value.shape, type, name);
};

const addAll: Operator = ({ draft, inputs }) => {
  const [first, ...rest] = inputs;
  if (first === undefined) throw draft.wrong('has no inputs');
  return rest.reduce((sum, value) => binary(draft, 'Add', [sum, value]), first);
};

const notEqual: Operator = (scene) => unary(scene.draft, 'Not', binary(scene.draft, 'Equal', pair(scene), 'bool'));

const select: Operator = (scene) => binary(scene.draft, 'Where', [...pair(scene), input(scene, 2)]);

const clip: Operator = (scene) =>
  binary(scene.draft, 'Min', [binary(scene.draft, 'Max', pair(scene)), input(scene, 2)]);

export const ELEMENTWISE: Operators = {
  Relu: active,
  Relu6: active,
  Elu: active,
  Selu: active,
  LeakyRelu: active,
  Sigmoid: active,
  Tanh: active,
  Softplus: active,
  Abs: one('Abs'),
  Neg: one('Neg'),
  Exp: one('Exp'),
  Log: one('Log'),
  Sqrt: one('Sqrt'),
  Floor: one('Floor'),
  Ceil: one('Ceil'),
  Round: one('Round'),
  Sin: one('Sin'),
  Cos: one('Cos'),
  Erf: one('Erf'),
  Sign: one('Sign'),
  Reciprocal: one('Reciprocal'),
  LogicalNot: one('Not'),
  Identity: (scene) => input(scene, 0),
  StopGradient: (scene) => input(scene, 0),
  Rsqrt: (scene) => unary(scene.draft, 'Reciprocal', unary(scene.draft, 'Sqrt', input(scene, 0))),
  Square: (scene) => binary(scene.draft, 'Mul', [input(scene, 0), input(scene, 0)]),
  Add: two('Add'),
  AddV2: two('Add'),
  AddN: addAll,
  Sub: two('Sub'),
  Mul: two('Mul'),
  RealDiv: two('Div'),
  Div: two('Div'),
  Pow: two('Pow'),
  Maximum: two('Max'),
  Minimum: two('Min'),
  FloorDiv: floorDiv,
  FloorMod: floorMod,
  SquaredDifference: squaredDifference,
  ClipByValue: clip,
  Equal: two('Equal', 'bool'),
  NotEqual: notEqual,
  Greater: two('Greater', 'bool'),
  GreaterEqual: two('GreaterOrEqual', 'bool'),
  Less: two('Less', 'bool'),
  LessEqual: two('LessOrEqual', 'bool'),
  LogicalAnd: two('And', 'bool'),
  LogicalOr: two('Or', 'bool'),
  Select: select,
  SelectV2: select,
  Cast: cast,
};
