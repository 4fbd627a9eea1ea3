/** What the vision process tells the gateway: docs/vision-protocol.md, without the envelope (`v`, `id`, `time`). */

export interface EvidenceReference {
  readonly kind: 'picture' | 'clip';
  /** Below the data directory, such as `media/2026/06/01/cam-east-….jpg` */
  readonly ref: string;
  readonly sha256: string;
}

interface Seen {
  readonly camera: string;
  readonly track: number;
  /** 0–1 */
  readonly score: number;
  /** Id of the fence, line or zone */
  readonly zone: string;
}

export type IntrusionEvent =
  | (Seen & { readonly type: 'climb'; readonly stage: 'warn'; readonly posture: number; readonly rule: string })
  | (Seen & {
      readonly type: 'cross';
      readonly stage: 'alarm';
      readonly posture: number;
      readonly rule: string;
      readonly direction?: 'in' | 'out';
    })
  | (Seen & { readonly type: 'line'; readonly direction: 'in' | 'out' })
  | (Seen & { readonly type: 'area' | 'loiter' });

export interface FaceEvent {
  readonly type: 'face';
  readonly camera: string;
  readonly result: 'known' | 'stranger' | 'blocked';
  /** Who: the number the gallery knows the person by, never a name. Absent for a stranger. */
  readonly person?: string;
  readonly similarity: number;
  /** To the second best person. */
  readonly margin: number;
  readonly sightings: number;
  /** Present only where liveness is switched on. */
  readonly live?: number;
  readonly track: number;
}

/** Of a picture that a face door sent: one look, so it opens nothing. */
export interface DoorFaceEvent {
  readonly type: 'face';
  /** Device id of the door. */
  readonly door: string;
  readonly result: 'known' | 'stranger' | 'blocked';
  /** Absent for a stranger. */
  readonly person?: string;
  readonly similarity: number;
  readonly margin: number;
}

export type PictureTrouble = 'dark' | 'bright' | 'blurred' | 'covered' | 'moved' | 'frozen' | 'degraded';

export interface HealthEvent {
  readonly type: 'health';
  /** Absent: the process itself. */
  readonly camera?: string;
  readonly condition: PictureTrouble | 'inference' | 'overload' | 'storage' | 'models';
  readonly active: boolean;
  readonly score?: number;
  readonly reason?: string;
}

export type VisionEvent = IntrusionEvent | FaceEvent | DoorFaceEvent | HealthEvent;
