import type { MonoMs, WallMs } from '../../kernel/clock.ts';
import type { Grey, Picture } from '../picture.ts';
import { copied } from './colour.ts';

/**
 * One moment of a camera, as the analysis needs it. All planes are of the same moment. They are the receiver's until what
 * `frame()` gave back is settled, then they are written over; who needs one for longer takes a copy ({@link lasting}).
 */
export interface Frame {
  /** Counts from 0 in each run of the source. */
  readonly n: number;
  /** When it arrived (live), or its place in the footage (replay). */
  readonly mono: MonoMs;
  readonly wall: WallMs;
  /** Seconds since the stream's beginning; what `replay` tells as `t`. */
  readonly t: number;
  /** At most the analysis size, the stream's own shape: boxes, tracks and fences are in its pixels. */
  readonly picture: Picture;
  /** `picture` scaled and padded (letterbox, black) to the detector's input size by ffmpeg. */
  readonly input: Picture;
  /** 160×90, stretched */
  readonly grey: Grey;
}

/** The same frame with planes of its own. */
export function lasting(frame: Frame): Frame {
  const { picture, input, grey } = frame;
  return {
    ...frame,
    picture: copied(picture),
    input: copied(input),
    grey: { ...grey, data: grey.data.slice() },
  };
}

export type SourceState =
  | {
      readonly state: 'online';
      readonly width: number;
      readonly height: number;
      readonly fps: number;
      readonly codec: string;
      /** Of footage, when its container says. */
      readonly seconds?: number;
    }
  | { readonly state: 'offline'; readonly reason: string }
  /** Footage came to its end. */
  | { readonly state: 'ended' };

export interface SourceEvents {
  /**
   * The frame's planes are lent for the time of the call and of its promise.
   * A source that can wait (footage at full speed) waits for the promise. A live one goes on: while it is unsettled only
   * the newest frame is kept, the others are shed and counted.
   */
  frame(frame: Frame): void | Promise<void>;
  state(state: SourceState): void;
}

/** Where frames come from: an RTSP camera, a file. Starts again by itself, with back-off, until it is stopped. */
export interface FrameSource {
  start(events: SourceEvents): void;
  readonly shed: number;
  /** Resolves when every child process is gone. */
  stop(): Promise<void>;
}
