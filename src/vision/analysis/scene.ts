import type { CameraConfig } from '../../config/schema.ts';
import type { MonoMs } from '../../kernel/clock.ts';
import type { Box, Point } from '../picture.ts';
import { ClimbingRule } from '../rules/climbing.ts';
import { insidePolygon, toPixels } from '../rules/geometry.ts';
import { LineRule } from '../rules/line.ts';
import type { Finding, Rule, Seen } from '../rules/rule.ts';
import { inTimes, type TimeSpan } from '../rules/schedule.ts';
import { ZoneRule } from '../rules/zone.ts';
import { footOf } from '../tracking/track.ts';

/** What is drawn on one camera's picture, for one size of it. */
export class Scene {
  readonly width: number;
  readonly height: number;
  readonly #masks: readonly (readonly Point[])[];
  readonly #fences: readonly ClimbingRule[];
  readonly #rules: readonly { readonly rule: Rule; readonly times: readonly TimeSpan[] }[];

  constructor(camera: CameraConfig, size: { readonly width: number; readonly height: number }) {
    this.width = size.width;
    this.height = size.height;
    this.#masks = camera.masks.map((points) => toPixels(points, size));
    const fences = camera.fences.map(({ id, top, base, direction, inside = null, times }) => ({
      rule: new ClimbingRule(
        { id, top: toPixels(top, size), base: toPixels(base, size), direction, inside },
        camera.sensitivity,
      ),
      times,
    }));
    this.#fences = fences.map(({ rule }) => rule);
    this.#rules = [
      ...fences,
      ...camera.lines.map(({ id, points, direction, times }) => ({
        rule: new LineRule({ id, points: toPixels(points, size), direction }),
        times,
      })),
      ...camera.zones.map(({ id, points, loiter = null, times }) => ({
        rule: new ZoneRule({ id, points: toPixels(points, size), loiter }),
        times,
      })),
    ];
  }

  /** Whether somebody stands where nobody is looked for. */
  masked(box: Box): boolean {
    const foot = footOf(box);
    return this.#masks.some((mask) => insidePolygon(mask, foot));
  }

  /** Whether a pose says more than the box. */
  nearFence(box: Box): boolean {
    return this.#fences.some((fence) => fence.near(box));
  }

  /** @param minute of the day, in the site's zone */
  look(seen: readonly Seen[], at: MonoMs, minute: number): Finding[] {
    return this.#rules.flatMap(({ rule, times }) => rule.look(seen, at, inTimes(times, minute)));
  }

  forget(track: number): void {
    for (const { rule } of this.#rules) rule.forget(track);
  }
}
