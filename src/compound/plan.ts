import type { Change, Draft } from '../journal/entry.ts';

/** A point of a plan: 0–1 of its width and of its height, from the upper left. */
export type Point = readonly [x: number, y: number];

/** A building, a unit, a yard: an outline with a name, or a mere label where `points` has one. */
export interface Area {
  readonly id: string;
  readonly plan: string;
  readonly name: string;
  readonly points: readonly Point[];
  /** The plan that shows its inside; `null` for none. */
  readonly opens: string | null;
}

export type AreaDraft = Pick<Area, 'name' | 'points' | 'opens'>;

export interface Plan {
  readonly id: string;
  readonly name: string;
  /** px of the stored picture */
  readonly width: number;
  readonly height: number;
  /** Of the stored picture, hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** ms since the epoch */
  readonly changed: number;
}

/** Where a device is. */
export interface Spot {
  readonly device: string;
  readonly plan: string;
  readonly x: number;
  readonly y: number;
}

/** A plan's picture as it is kept: WebP, upright, without anything the camera or the drawing program wrote beside it. */
export interface PlanPicture {
  readonly bytes: Buffer;
  /** px */
  readonly width: number;
  readonly height: number;
}

export interface PlanRow extends Plan {
  readonly rank: number;
}
export interface AreaRow extends Omit<Area, 'points'> {
  readonly points: string;
}

/** A tenth of a pixel of the largest picture: finer nobody can put a device. */
const FINENESS = 100_000;
export const fine = (n: number): number => Math.round(Math.min(1, Math.max(0, n)) * FINENESS) / FINENESS;

export const audit = (actor: string, plan: string, what: string, more: Record<string, unknown>): Draft => ({
  kind: 'plan.changed',
  actor,
  subject: `plan:${plan}`,
  body: { what, plan, ...more },
});

export const storePlan = ({ id, name, rank, width, height, sha256, bytes, changed }: PlanRow): Change => ({
  sql: `INSERT OR REPLACE INTO plans (id, name, rank, width, height, sha256, bytes, changed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  params: [id, name, rank, width, height, sha256, bytes, changed],
});

export const storePicture = (plan: string, picture: Buffer): Change => ({
  sql: 'INSERT OR REPLACE INTO plan_pictures (plan, picture) VALUES (?, ?)',
  params: [plan, picture],
});

export const storeArea = ({ id, plan, name, points, opens }: Area): Change => ({
  sql: 'INSERT OR REPLACE INTO plan_areas (id, plan, name, points, opens) VALUES (?, ?, ?, ?, ?)',
  params: [id, plan, name, JSON.stringify(points), opens],
});

export const storeSpot = ({ device, plan, x, y }: Spot): Change => ({
  sql: 'INSERT OR REPLACE INTO plan_devices (device, plan, x, y) VALUES (?, ?, ?, ?)',
  params: [device, plan, x, y],
});
