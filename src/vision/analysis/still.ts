import sharp from 'sharp';
import type { CameraConfig } from '../../config/schema.ts';
import type { Picture } from '../picture.ts';
import type { Fractions } from '../rules/geometry.ts';
import type { Seen } from '../rules/rule.ts';

/** Limbs as pairs of joints, COCO order. */
const LIMBS = [
  [5, 6],
  [5, 7],
  [7, 9],
  [6, 8],
  [8, 10],
  [5, 11],
  [6, 12],
  [11, 12],
  [11, 13],
  [13, 15],
  [12, 14],
  [14, 16],
] as const;

export interface Drawing {
  /** What was drawn for the camera; without it, only people are shown. */
  readonly camera?: CameraConfig | undefined;
  readonly people: readonly Seen[];
  /** Track of the person it is about: red, the others are yellow. */
  readonly about?: number | undefined;
  readonly quality?: number;
}

/** A picture as JPEG with what was seen drawn into it. */
export function still({ width, height, data }: Picture, drawing: Drawing): Promise<Buffer> {
  const { camera, people, about, quality = 85 } = drawing;
  const line = (points: Fractions, colour: string, closed = false): string =>
    `<poly${closed ? 'gon' : 'line'} points="${points.map(([x, y]) => `${x * width},${y * height}`).join(' ')}" stroke="${colour}" fill="none"/>`;
  const shapes = [
    ...(camera?.fences ?? []).flatMap(({ top, base }) => [line(top, '#00e5ff'), line(base, '#0091ea')]),
    ...(camera?.lines ?? []).map(({ points }) => line(points, '#b388ff')),
    ...(camera?.zones ?? []).map(({ points }) => line(points, '#b388ff', true)),
    ...(camera?.masks ?? []).map((points) => line(points, '#757575', true)),
    ...people.map((person) => personOf(person, person.track === about ? '#ff1744' : '#ffd600')),
  ];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" stroke-width="1.5">${shapes.join('')}</svg>`;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .composite([{ input: Buffer.from(svg) }])
    .jpeg({ quality })
    .toBuffer();
}

function personOf({ box, track, score, pose }: Seen, colour: string): string {
  const limbs = LIMBS.map(([a, b]) => {
    const [from, to] = [pose?.[a], pose?.[b]];
    if (from === undefined || to === undefined || from.score < 0.2 || to.score < 0.2) return '';
    return `<line x1="${from.x}" y1="${from.y}" x2="${to.x}" y2="${to.y}" stroke="#76ff03"/>`;
  });
  const { x1, y1, x2, y2 } = box;
  return `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" stroke="${colour}" fill="none"/>${limbs.join('')}<text x="${x1}" y="${Math.max(10, y1 - 3)}" fill="${colour}" stroke="none" font-family="sans-serif" font-size="11">${track} ${score.toFixed(2)}</text>`;
}
