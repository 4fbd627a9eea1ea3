import type { z } from 'zod';
import type { AreaView, PlanList as PlanListSchema, PlanView, SpotView } from '../../../api/routes/plans.ts';
import type { Alarm, Device } from '../../api/types.ts';

export type Plan = z.output<typeof PlanView>;
export type Area = z.output<typeof AreaView>;
export type Spot = z.output<typeof SpotView>;
export type PlanList = z.output<typeof PlanListSchema>;
/** 0–1 of the plan's width and height, from its upper left. */
export type Point = readonly [x: number, y: number];

/** What a device is for a person who looks at the map. */
export type Layer = 'safety' | 'camera' | 'door' | 'other';
export const LAYERS: readonly Layer[] = ['safety', 'camera', 'door', 'other'];

/** The open alarms of one device or area: the gravest, and how many. */
export interface Trouble {
  readonly worst: Alarm;
  readonly count: number;
  /** Nobody has acknowledged at least one of them. */
  readonly asking: boolean;
}

/** A device on the plan. */
export interface Pin {
  readonly device: Device;
  readonly layer: Layer;
  readonly x: number;
  readonly y: number;
  readonly trouble: Trouble | null;
}

/** Pins that would lie on one another at this zoom, drawn as one. */
export interface Cluster {
  readonly key: string;
  readonly x: number;
  readonly y: number;
  readonly pins: readonly Pin[];
}
