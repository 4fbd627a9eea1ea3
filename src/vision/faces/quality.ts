import { type Box, heightOf, type Picture, type Point } from '../picture.ts';
import { ALIGNED, apply, invert, PLACES, similarity } from './align.ts';

/** What a face in a picture is worth, measured; angles are estimates from five points, good to some ten degrees. */
export interface Quality {
  /** Of the box, pixels of the picture. */
  readonly height: number;
  /** Degrees; positive: turned to the picture's right. */
  readonly yaw: number;
  /** Degrees; positive: looking up. */
  readonly pitch: number;
  /** Degrees; positive: tilted clockwise. */
  readonly roll: number;
  /** Variance of the Laplacian of the aligned face's grey values. */
  readonly sharpness: number;
  /** Mean grey value of the aligned face, 0–255. */
  readonly brightness: number;
  /** Standard deviation of the same. */
  readonly contrast: number;
  /** Part of the face from the brows to below the mouth that lies outside the picture, 0–1. */
  readonly cut: number;
}

export type Reason = 'small' | 'turned' | 'nodding' | 'tilted' | 'blurred' | 'dark' | 'bright' | 'flat' | 'cut';

export const REASONS: Readonly<Record<Reason, { readonly zh: string; readonly en: string }>> = {
  small: { zh: '人脸太小', en: 'the face is too small' },
  turned: { zh: '侧脸', en: 'turned aside' },
  nodding: { zh: '抬头或低头', en: 'looking up or down' },
  tilted: { zh: '头部倾斜', en: 'tilted' },
  blurred: { zh: '模糊', en: 'blurred' },
  dark: { zh: '太暗', en: 'too dark' },
  bright: { zh: '过曝', en: 'too bright' },
  flat: { zh: '对比度太低', en: 'too little contrast' },
  cut: { zh: '人脸被画面边缘截断', en: 'cut by the edge of the picture' },
};

/** What is asked of a face before it is used. */
export interface Gate {
  readonly height: number;
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  readonly sharpness: number;
  readonly brightness: readonly [number, number];
  readonly contrast: number;
  readonly cut: number;
}

/** To compare: what is let through costs a false rejection at worst. */
export const COMPARE: Gate = {
  height: 48,
  yaw: 50,
  pitch: 40,
  roll: 45,
  sharpness: 15,
  brightness: [25, 235],
  contrast: 12,
  cut: 0.2,
};

/** To enrol: this is what every later face is compared with. */
export const ENROL: Gate = {
  height: 80,
  yaw: 30,
  pitch: 28,
  roll: 30,
  sharpness: 30,
  brightness: [45, 215],
  contrast: 20,
  cut: 0.08,
};

/** Why a face does not pass; empty when it does. */
export function failures(quality: Quality, gate: Gate): Reason[] {
  const { height, yaw, pitch, roll, sharpness, brightness, contrast, cut } = quality;
  const failed: readonly (readonly [Reason, boolean])[] = [
    ['small', height < gate.height],
    ['cut', cut > gate.cut],
    ['turned', Math.abs(yaw) > gate.yaw],
    ['nodding', Math.abs(pitch) > gate.pitch],
    ['tilted', Math.abs(roll) > gate.roll],
    ['dark', brightness < gate.brightness[0]],
    ['bright', brightness > gate.brightness[1]],
    ['flat', contrast < gate.contrast],
    ['blurred', sharpness < gate.sharpness],
  ];
  return failed.flatMap(([reason, is]) => (is ? [reason] : []));
}

/** good: fit to be enrolled; fair: fit to be compared; poor: neither. */
export type Grade = 'good' | 'fair' | 'poor';

export function gradeOf(quality: Quality): { readonly grade: Grade; readonly reasons: Reason[] } {
  const reasons = failures(quality, ENROL);
  if (reasons.length === 0) return { grade: 'good', reasons };
  return { grade: failures(quality, COMPARE).length === 0 ? 'fair' : 'poor', reasons };
}

/** Of the distance of the eyes: how far the tip of the nose stands out of the plane of eyes and mouth. */
const NOSE = 0.6;
/** Where the nose lies between eyes (0) and mouth (1) of a face that looks straight ahead. */
const LEVEL = nosePlace(PLACES);

/**
 * @param box of the face
 * @param points the five, in pixels of the picture
 * @param aligned rgb24, 112 × 112
 */
export function measure(picture: Picture, box: Box, points: readonly Point[], aligned: Uint8Array): Quality {
  const round = (value: number): number => Math.round(value * 100) / 100;
  const { yaw, pitch, roll } = poseOf(points);
  const { sharpness, brightness, contrast } = lightOf(aligned);
  return {
    height: round(heightOf(box)),
    yaw: round(yaw),
    pitch: round(pitch),
    roll: round(roll),
    sharpness: round(sharpness),
    brightness: round(brightness),
    contrast: round(contrast),
    cut: round(outside(picture, points)),
  };
}

/** Of the aligned face: from the brows to below the mouth, from cheek to cheek; tight photos lack what is around it. */
const CORE = { x: 22, y: 30, width: 68, height: 74 };

/** By a grid of 16 × 16 places. */
function outside(picture: Picture, points: readonly Point[]): number {
  const place = invert(similarity(points, PLACES));
  let missing = 0;
  for (let i = 0; i < 256; i += 1) {
    const at = {
      x: CORE.x + (((i % 16) + 0.5) * CORE.width) / 16,
      y: CORE.y + ((Math.floor(i / 16) + 0.5) * CORE.height) / 16,
    };
    const { x, y } = apply(place, at);
    if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) missing += 1;
  }
  return missing / 256;
}

function between(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

const degrees = (sine: number): number => (Math.asin(Math.max(-1, Math.min(1, sine))) * 180) / Math.PI;

/** The five points in a frame whose x runs along the eyes, with the eyes' middle as its origin. */
function upright(points: readonly Point[]): { points: Point[]; angle: number; eyes: number } {
  const [left, right] = points as readonly [Point, Point];
  const angle = Math.atan2(right.y - left.y, right.x - left.x);
  const centre = between(left, right);
  const [cos, sin] = [Math.cos(-angle), Math.sin(-angle)];
  return {
    points: points.map(({ x, y }) => {
      const [dx, dy] = [x - centre.x, y - centre.y];
      return { x: dx * cos - dy * sin, y: dx * sin + dy * cos };
    }),
    angle,
    eyes: Math.max(1e-6, Math.hypot(right.x - left.x, right.y - left.y)),
  };
}

function nosePlace(points: readonly Point[]): number {
  const [, , nose, mouthLeft, mouthRight] = upright(points).points as [Point, Point, Point, Point, Point];
  return nose.y / Math.max(1e-6, between(mouthLeft, mouthRight).y);
}

function poseOf(points: readonly Point[]): { yaw: number; pitch: number; roll: number } {
  const frame = upright(points);
  const [, , nose, mouthLeft, mouthRight] = frame.points as [Point, Point, Point, Point, Point];
  const mouth = between(mouthLeft, mouthRight);
  // The eyes come closer as the head turns, so the length of the face is the better measure of its size.
  const size = Math.max(frame.eyes, Math.abs(mouth.y) * 0.87);
  const middle = mouth.x * LEVEL;
  return {
    yaw: degrees((nose.x - middle) / (NOSE * size)),
    pitch: degrees(((LEVEL - nose.y / Math.max(1e-6, mouth.y)) * Math.abs(mouth.y)) / (NOSE * size)),
    roll: (frame.angle * 180) / Math.PI,
  };
}

/** Of the part of the aligned face where no hair and no background is. */
function lightOf(aligned: Uint8Array): { sharpness: number; brightness: number; contrast: number } {
  const [low, high] = [Math.round(ALIGNED * 0.2), Math.round(ALIGNED * 0.8)];
  const grey = new Float32Array(ALIGNED * ALIGNED);
  for (let i = 0; i < grey.length; i += 1) {
    const at = i * 3;
    grey[i] =
      0.299 * (aligned[at] as number) + 0.587 * (aligned[at + 1] as number) + 0.114 * (aligned[at + 2] as number);
  }
  let sum = 0;
  let squares = 0;
  let curve = 0;
  let curves = 0;
  for (let y = low; y < high; y += 1) {
    for (let x = low; x < high; x += 1) {
      const i = y * ALIGNED + x;
      const value = grey[i] as number;
      const across = (grey[i - 1] as number) + (grey[i + 1] as number);
      const bend = across + (grey[i - ALIGNED] as number) + (grey[i + ALIGNED] as number) - 4 * value;
      sum += value;
      squares += value * value;
      curve += bend;
      curves += bend * bend;
    }
  }
  const n = (high - low) ** 2;
  const brightness = sum / n;
  return {
    brightness,
    contrast: Math.sqrt(Math.max(0, squares / n - brightness * brightness)),
    sharpness: Math.max(0, curves / n - (curve / n) ** 2),
  };
}
