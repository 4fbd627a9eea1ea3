import type { CameraConfig } from '../../config/schema.ts';
import type { ErrorCode } from '../../kernel/errors.ts';
import type { IntrusionEvent } from '../event.ts';

/** What passes between the vision process and the child that tries settings on footage (`child_process.fork`). */

/** Told once, first. */
export interface TrialTask {
  /** Path of the footage. */
  readonly video: string;
  /** With the settings that are tried; its address is not used. */
  readonly camera: CameraConfig;
  readonly timezone: string;
  /** Directories with model entries beside the built-in ones. */
  readonly models: readonly string[];
  /** When the footage begins, wall ms. */
  readonly begins: number;
  /** Seconds of footage that are looked at. */
  readonly most: number;
  /** Of nice(2); its own children, ffmpeg and the models, inherit it. */
  readonly priority: number;
}

/** Left, top, right and lower edge in 0–1 of the picture. */
export type TrialBox = readonly [number, number, number, number];

/** What would have been told. */
export interface TrialEvent {
  /** Seconds from the beginning of the footage. */
  readonly t: number;
  readonly type: IntrusionEvent['type'];
  /** Id of the fence, line or zone. */
  readonly zone: string;
  readonly track: number;
  readonly direction: 'in' | 'out' | null;
  /** Of whom it is; `null` when they were not seen in this very frame. */
  readonly box: TrialBox | null;
}

/** Somebody in a frame: seconds, number of the track, box. */
export type TrialSighting = readonly [t: number, track: number, ...box: TrialBox];

export type FromTrial =
  /** @property seconds `null` when the footage does not say */
  | { readonly type: 'opened'; readonly seconds: number | null }
  | {
      readonly type: 'frame';
      readonly t: number;
      readonly counts: { readonly frames: number; readonly detected: number; readonly poses: number };
      readonly people: readonly TrialSighting[];
    }
  | { readonly type: 'event'; readonly event: TrialEvent; readonly jpeg: Uint8Array }
  | { readonly type: 'done'; readonly seconds: number; readonly cut: boolean }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string };
