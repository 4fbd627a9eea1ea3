import type { MonoMs } from '../../kernel/clock.ts';
import type { IntrusionEvent } from '../event.ts';
import type { Box, Keypoint } from '../picture.ts';

/** Somebody in one frame, as the rules see them. Boxes and points in pixels of the frame's picture. */
export interface Seen {
  /** Of the track, the same from frame to frame. */
  readonly track: number;
  readonly box: Box;
  /** Median of the track's last scores, 0–1. */
  readonly score: number;
  /** 17 points (COCO order); `null` where the pose was not looked at. */
  readonly pose: readonly Keypoint[] | null;
}

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** What a rule found; the camera's name is added by who asked. */
export type Finding = Without<IntrusionEvent, 'camera'>;

/** Everybody seen at one time in, what happened out. Pure: no clock, no I/O; the same frames give the same findings. */
export interface Rule {
  /**
   * @param seen each track at most once
   * @param at not before the last call's
   * @param armed whether its schedule is on; it keeps watching when not, so that it knows what came before
   */
  look(seen: readonly Seen[], at: MonoMs, armed: boolean): Finding[];
  /** A track is given up and its number never used again. */
  forget(track: number): void;
}
