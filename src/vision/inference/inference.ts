import type { Detection, Keypoint, Point } from '../picture.ts';

/** What a decoder makes of a model's output, by the model's task; pixels are those of the model's input. */
export interface Found {
  readonly persons: readonly Detection[];
  readonly faces: readonly Detection[];
  /** 68 points (iBUG 300-W order) */
  readonly landmarks: readonly Point[];
  /** [512], L2-normalised: the cosine of two faces is their dot product */
  readonly embedding: Float32Array;
  /** Probability of a live person, 0–1 */
  readonly liveness: number;
  /** 17 points (COCO order) */
  readonly pose: readonly Keypoint[];
}

export type Task = keyof Found;

export interface InferenceCounts {
  done: number;
  /** Given up because newer pictures of the same source came. */
  shed: number;
  /** Lost with a child that ended, or the model failed on it. */
  failed: number;
  restarts: number;
}

/** Where models run. The real one is a forked child; a port, so that the rest of the house needs none in its tests. */
export interface Inference {
  /**
   * Runs one model on one picture.
   * @param model id of a loaded model whose task is `task`
   * @param input rgb24 of exactly the model's input size; taken over, not to be written to afterwards
   * @param source whose picture it is: the queue is bounded for each, and its oldest goes first
   * @returns `null` when the picture was shed (too much to do) or the child was restarted meanwhile
   * @throws QuanweiError NOT_FOUND no such model is loaded; BAD_MODEL it put out no numbers; VISION_DEGRADED the child was
   * given up; INVARIANT `input` is not of the model's size
   */
  run<T extends Task>(task: T, model: string, input: Uint8Array, source: string): Promise<Found[T] | null>;
  /** Input size of a loaded model. @throws QuanweiError NOT_FOUND */
  size(model: string): { readonly width: number; readonly height: number };
  readonly counts: Readonly<InferenceCounts>;
  /** `null` while it works; why it was given up otherwise. */
  readonly degraded: string | null;
  close(): Promise<void>;
}
