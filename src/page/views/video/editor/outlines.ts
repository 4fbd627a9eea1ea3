import { t } from '../../../words/words.ts';
import type { At, Edge, Settings, ShapeRef } from '../types.ts';
import { isClosed, LISTS } from './shapes.ts';

/** A shape as it is shown on the picture. */
export interface Outline {
  readonly key: string;
  readonly shape: ShapeRef;
  readonly closed: boolean;
  readonly lines: readonly { readonly edge: Edge; readonly points: readonly At[] }[];
  /** What is filled, in parts of the picture. */
  readonly area: readonly At[] | null;
  /** Path of an arrow that tells the direction; in units of the drawing, as `label`. */
  readonly arrow: string | null;
  readonly label: { readonly x: number; readonly y: number };
  readonly name: string;
}

export function outlinesOf(settings: Settings, width: number, height: number): Outline[] {
  return LISTS.flatMap((list) =>
    settings[list].map((_, index): Outline => {
      const shape = { list, index };
      const lines = linesOf(settings, shape);
      const [first] = lines;
      const [x, y] = first?.points[0] ?? [0, 0];
      const points = first?.points ?? [];
      const base = lines[1]?.points ?? [];
      return {
        key: `${list} ${index}`,
        shape,
        closed: isClosed(list),
        lines,
        area: list === 'fences' ? [...points, ...base.toReversed()] : isClosed(list) ? points : null,
        arrow: list === 'lines' ? arrowOf(points, settings.lines[index]?.direction ?? 'both', width, height) : null,
        // Inside of the picture, whatever is drawn along its edge.
        label: { x: Math.min(x * width + 6, width * 0.85), y: Math.max(y * height - 8, 24) },
        name: nameOf(settings, shape),
      };
    }),
  );
}

function linesOf(settings: Settings, { list, index }: ShapeRef): Outline['lines'] {
  const fence = settings.fences[index];
  if (list === 'fences') {
    return [
      { edge: 'top', points: fence?.top ?? [] },
      { edge: 'base', points: fence?.base ?? [] },
    ];
  }
  const points = list === 'masks' ? settings.masks[index] : settings[list][index]?.points;
  return [{ edge: 'points', points: points ?? [] }];
}

/** What people call it, else what kind it is and which. */
export function nameOf(settings: Settings, { list, index }: ShapeRef): string {
  const name = list === 'masks' ? undefined : settings[list][index]?.name;
  return name ?? `${t(`video.kind_${list}`)} ${index + 1}`;
}

/** Across the line in its middle: `in` is from its left to its right, seen along its points. */
function arrowOf(points: readonly At[], direction: string, width: number, height: number): string | null {
  const at = Math.max(0, Math.ceil(points.length / 2) - 1);
  const [a, b] = [points[at], points[at + 1]];
  if (a === undefined || b === undefined) return null;
  const [dx, dy] = [(b[0] - a[0]) * width, (b[1] - a[1]) * height];
  const long = Math.hypot(dx, dy) || 1;
  const [x, y] = [((a[0] + b[0]) / 2) * width, ((a[1] + b[1]) / 2) * height];
  // y grows downwards: right of (dx, dy) is (-dy, dx).
  const [nx, ny] = [-dy / long, dx / long];
  const [ux, uy] = [dx / long, dy / long];
  const one = (sign: 1 | -1): string => {
    const point = (along: number, across: number) =>
      `${x + ux * along + nx * across * sign} ${y + uy * along + ny * across * sign}`;
    return `M${point(0, 34)}L${point(11, 16)}L${point(4, 16)}L${point(4, 4)}L${point(-4, 4)}L${point(-4, 16)}L${point(-11, 16)}Z`;
  };
  return `${direction === 'out' ? '' : one(1)}${direction === 'in' ? '' : one(-1)}`;
}
