import { areaOf } from './finder.ts';
import type { Template } from './gallery.ts';
import { type Grade, gradeOf, type Quality, REASONS, type Reason } from './quality.ts';
import type { Face } from './reader.ts';
import { cosine, LENGTH, type Roster, unit } from './roster.ts';

/** Photos of one person are at least this similar; below it they may be of two. */
export const LIKE = 0.45;
/** Photos that are advised: from three on, at the usual threshold, everybody cooperative was recognised. */
export const ADVISED = 3;
/** A second face is somebody else in the background when it is not larger than this part of the first. */
const BACKGROUND = 0.4;

export interface Candidate {
  /** File name or the like. */
  readonly name: string;
  /** Largest first. */
  readonly faces: readonly Face[];
}

export type Refusal = Reason | 'nobody' | 'several' | 'unlike';

export const REFUSALS: Readonly<Record<Refusal, { readonly zh: string; readonly en: string }>> = {
  ...REASONS,
  nobody: { zh: '没有找到人脸', en: 'there is no face' },
  several: { zh: '有不止一张人脸', en: 'there is more than one face' },
  unlike: { zh: '与其他照片不像同一人', en: 'does not look like the person of the others' },
};

export interface PhotoVerdict {
  readonly name: string;
  readonly accepted: boolean;
  readonly grade: Grade | null;
  readonly reasons: readonly Refusal[];
  readonly quality: Quality | null;
}

export interface EnrolmentVerdict {
  readonly photos: readonly PhotoVerdict[];
  /** What may be enrolled; empty when the photos are not of one person. */
  readonly faces: readonly Face[];
  /** Least cosine between two photos, or a photo and what is already enrolled; `null` with one photo only. */
  readonly agreement: number | null;
  /** Others who are enrolled and look much like this person, most alike first. */
  readonly alike: readonly { readonly person: string; readonly similarity: number }[];
}

/**
 * Whether photos are fit to be what a person is known by.
 * @param person who they are said to be
 * @param known templates of this person that are already there
 * @param roster everybody
 */
export function judge(
  person: string,
  candidates: readonly Candidate[],
  known: readonly Template[],
  roster: Roster,
): EnrolmentVerdict {
  const judged = candidates.map(photo);
  const usable = judged.flatMap(({ face }) => (face === null ? [] : [face]));
  const before = known.map(({ embedding }) => embedding);
  const pairs = usable.flatMap((face, i) =>
    [...before, ...usable.slice(0, i).map((other) => other.embedding)].map((other) => cosine(face.embedding, other)),
  );
  const agreement = pairs.length === 0 ? null : Math.min(...pairs);
  const one = agreement === null || agreement >= LIKE;
  const photos = judged.map(({ verdict, face }) => {
    if (one || face === null) return verdict;
    const others = [...before, ...usable.filter((other) => other !== face).map(({ embedding }) => embedding)];
    const like = Math.max(...others.map((other) => cosine(face.embedding, other)));
    // Of two that differ nobody knows which is right: both are named.
    return like < LIKE || usable.length + before.length === 2 ? refused(verdict, 'unlike') : verdict;
  });
  return {
    photos,
    faces: one ? usable : [],
    agreement,
    alike: usable.length === 0 ? [] : roster.near(meanOf(usable), LIKE).filter((other) => other.person !== person),
  };
}

function photo({ name, faces }: Candidate): { verdict: PhotoVerdict; face: Face | null } {
  const [face, second] = faces;
  const no = (reason: Refusal): { verdict: PhotoVerdict; face: null } => ({
    verdict: { name, accepted: false, grade: null, reasons: [reason], quality: face?.quality ?? null },
    face: null,
  });
  if (face === undefined) return no('nobody');
  if (second !== undefined && areaOf(second.box) > BACKGROUND * areaOf(face.box)) return no('several');
  const { grade, reasons } = gradeOf(face.quality);
  const accepted = grade === 'good';
  return { verdict: { name, accepted, grade, reasons, quality: face.quality }, face: accepted ? face : null };
}

const refused = (verdict: PhotoVerdict, reason: Refusal): PhotoVerdict => ({
  ...verdict,
  accepted: false,
  reasons: [...verdict.reasons, reason],
});

function meanOf(faces: readonly Face[]): Float32Array {
  const sum = new Float32Array(LENGTH);
  for (const { embedding } of faces) {
    for (let i = 0; i < LENGTH; i += 1) sum[i] = (sum[i] as number) + (embedding[i] as number);
  }
  return unit(sum);
}
