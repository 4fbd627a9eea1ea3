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

/**
 * Pictures of the same moment together, clips by themselves; what is told twice is shown once. A sharper picture of a
 * moment is shown in place of the first one.
 */
export function sorted(all: readonly EvidenceRef[]): { shots: Shot[]; clips: EvidenceRef[] } {
  const known = [...new Map(all.filter(({ ref }) => REFERENCE.test(ref)).map((one) => [one.ref, one])).values()];
  const sharper = ({ ref }: EvidenceRef): boolean => /-main-(boxes|plain)\.jpg$/.test(ref);
  const pictures = known.filter(({ kind }) => kind === 'picture');
  const shots = new Map<string, Shot>();
  for (const one of [...pictures.filter((one) => !sharper(one)), ...pictures.filter(sharper)]) {
    const key = one.ref.replace(/(-main)?-(boxes|plain)\.jpg$/, '');
    const shot = shots.get(key) ?? { key, boxes: null, plain: null };
    shots.set(key, one.ref.endsWith('-plain.jpg') ? { ...shot, plain: one } : { ...shot, boxes: one });
  }
  return { shots: [...shots.values()], clips: known.filter(({ kind }) => kind === 'clip') };
}
