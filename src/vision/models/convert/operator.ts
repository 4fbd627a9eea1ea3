import type { Draft, Value } from './draft.ts';
import { type GraphNode, typeAttribute } from './graph.ts';
import type { DataType } from './tensor.ts';

/** Size of the input that is being made, and of the one the graph was made for. */
export interface Scale {
  readonly width: number;
  readonly height: number;
  readonly ownWidth: number;
  readonly ownHeight: number;
}

export const SAME_SIZE: Scale = { width: 1, height: 1, ownWidth: 1, ownHeight: 1 };

/** One node at its turn. */
export interface Scene {
  readonly node: GraphNode;
  readonly inputs: readonly Value[];
  readonly draft: Draft;
  /** For sizes that are written into the graph. */
  readonly scale: Scale;
}

/** Converts one kind of node; several outputs as a list. @throws QuanweiError BAD_MODEL */
export type Operator = (scene: Scene) => Value | Value[];

export type Operators = Readonly<Record<string, Operator>>;

/** @throws QuanweiError BAD_MODEL */
export function input({ inputs, draft }: Scene, at: number): Value {
  const value = inputs[at];
  if (value === undefined) throw draft.wrong(`input ${at} is missing`);
  return value;
}

/** Whole numbers that must be known at convert time. @throws QuanweiError BAD_MODEL */
export function numbers(scene: Scene, at: number): number[] {
  const { constant } = input(scene, at);
  if (constant === null) throw scene.draft.wrong(`input ${at} must be a constant`);
  return [...constant.data];
}

export function number(scene: Scene, at: number): number {
  const [value] = numbers(scene, at);
  if (value === undefined) throw scene.draft.wrong(`input ${at} is empty`);
  return value;
}

/** -1 is the last axis. @throws QuanweiError BAD_MODEL */
export function axisOf({ draft }: Scene, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(positive) || positive < 0 || positive >= Math.max(rank, 1)) {
    throw draft.wrong(`axis ${axis} of ${rank}`);
  }
  return positive;
}

export const flag = ({ node }: Scene, name: string): boolean => node.attr[name]?.b ?? false;
export const whole = ({ node }: Scene, name: string, fallback = 0): number => node.attr[name]?.i ?? fallback;
export const real = ({ node }: Scene, name: string, fallback: number): number => node.attr[name]?.f ?? fallback;
export const word = ({ node }: Scene, name: string, fallback = ''): string => node.attr[name]?.s ?? fallback;
export const wholes = ({ node }: Scene, name: string): readonly number[] => node.attr[name]?.list?.i ?? [];
export const words = ({ node }: Scene, name: string): readonly string[] => node.attr[name]?.list?.s ?? [];
export const typeOf = ({ node }: Scene, name: string): DataType => typeAttribute(node, name);
