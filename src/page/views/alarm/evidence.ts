import type { EvidenceRef } from '../../api/types.ts';

/** A reference as the gateway gives it; anything else is not asked for. */
const REFERENCE = /^media\/\d{4}\/\d{2}\/\d{2}\/[A-Za-z0-9][A-Za-z0-9._-]{0,150}\.(jpg|mp4)$/;

export const addressOf = (ref: string, copy = false): string => `/api/${ref}${copy ? '?copy=1' : ''}`;

/** A moment in pictures: with what was seen marked, and as the camera gave it; either may be missing. */
export interface Shot {
  readonly key: string;
  readonly boxes: EvidenceRef | null;
  readonly plain: EvidenceRef | null;
}

/** Pictures of the same moment together, clips by themselves; what is told twice is shown once. */
export function sorted(all: readonly EvidenceRef[]): { shots: Shot[]; clips: EvidenceRef[] } {
  const known = [...new Map(all.filter(({ ref }) => REFERENCE.test(ref)).map((one) => [one.ref, one])).values()];
  const shots = new Map<string, Shot>();
  for (const one of known.filter(({ kind }) => kind === 'picture')) {
    const plain = one.ref.endsWith('-plain.jpg');
    const key = one.ref.replace(/-(boxes|plain)\.jpg$/, '');
    const shot = shots.get(key) ?? { key, boxes: null, plain: null };
    shots.set(key, plain ? { ...shot, plain: one } : { ...shot, boxes: one });
  }
  return { shots: [...shots.values()], clips: known.filter(({ kind }) => kind === 'clip') };
}
