import type { z } from 'zod';
import type { SettingsForm, SettingsView } from '../../../api/routes/camera-settings.ts';
import type { Footage as FootageForm } from '../../../api/routes/camera-trials.ts';
import type { Trial as TrialForm } from '../../../api/trial-link.ts';

/** What may be set of a camera, as the API takes it: every list is there. */
type Written = z.input<SettingsForm>;
export type Settings = Omit<Written, 'fences' | 'lines' | 'zones' | 'masks' | 'faces'> & {
  readonly fences: readonly Fence[];
  readonly lines: readonly Line[];
  readonly zones: readonly Zone[];
  readonly masks: readonly (readonly At[])[];
  readonly faces: false | Faces;
};
export type Held = Omit<z.output<typeof SettingsView>, 'settings' | 'file'> & {
  readonly settings: Settings;
  readonly file: Settings;
};

/** A point of the picture, 0–1 from its upper left corner. */
export type At = readonly [x: number, y: number];
type Points = readonly At[];
type Of<L extends 'fences' | 'lines' | 'zones'> = z.output<SettingsForm>[L][number];
export type Fence = Omit<Of<'fences'>, 'top' | 'base' | 'times'> & { top: Points; base: Points; times: Times };
export type Line = Omit<Of<'lines'>, 'points' | 'times'> & { points: Points; times: Times };
/** `loiter` as one writes it: `30s`. */
export type Zone = Omit<Of<'zones'>, 'points' | 'times' | 'loiter'> & { points: Points; times: Times; loiter?: string };
export type Faces = Exclude<NonNullable<Written['faces']>, boolean>;
export type Times = readonly (readonly [string, string])[];

export type ShapeList = 'fences' | 'lines' | 'zones' | 'masks';
/** One of the things drawn. */
export interface ShapeRef {
  readonly list: ShapeList;
  readonly index: number;
}
/** One of its polylines: a fence has two. */
export type Edge = 'top' | 'base' | 'points';
export interface EdgeRef extends ShapeRef {
  readonly edge: Edge;
}
export interface PointRef extends EdgeRef {
  readonly point: number;
}

/** A try of settings on footage. */
export type Trial = z.output<typeof TrialForm>;
export type TrialEvent = Trial['events'][number];
export type Footage = z.output<typeof FootageForm>;
export type Clip = Footage['clips'][number];
