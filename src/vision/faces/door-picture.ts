import { QuanweiError } from '../../kernel/errors.ts';
import { loadPicture } from '../images.ts';
import { COMPARE, failures, type Quality, type Reason } from './quality.ts';
import type { FaceReader } from './reader.ts';
import type { Match, Roster } from './roster.ts';
import { accepts, type Rule } from './visit.ts';

/** What a single picture says: less than a camera does, which looks three times. */
export interface PictureMatch {
  /** unclear: a face that is not fit to be compared, or whose margin or liveness is too small */
  readonly result: 'known' | 'blocked' | 'stranger' | 'unclear' | 'nobody';
  /** Of `known` and `blocked` only. */
  readonly person: string | null;
  readonly similarity: number | null;
  readonly margin: number | null;
  readonly live: number | null;
  readonly quality: Quality | null;
  readonly reasons: readonly Reason[];
}

const NOBODY: PictureMatch = {
  result: 'nobody',
  person: null,
  similarity: null,
  margin: null,
  live: null,
  quality: null,
  reasons: [],
};

/**
 * Compares the largest face of a picture that a door terminal sent. The picture is not kept.
 * @param bytes JPEG or another form
 * @param source the door, for the queue
 * @throws QuanweiError BAD_PICTURE, VISION_DEGRADED
 */
export async function matchPicture(
  bytes: Uint8Array,
  { reader, roster, rule, source }: { reader: FaceReader; roster: Roster; rule: Rule; source: string },
): Promise<PictureMatch> {
  const picture = await loadPicture(bytes);
  const faces = await reader.read(picture, source, { live: rule.liveness !== undefined, most: 1 });
  if (faces === null) throw new QuanweiError('VISION_DEGRADED', 'there was no time for the picture', { where: source });
  const [face] = faces;
  if (face === undefined) return NOBODY;
  const { embedding, live, quality } = face;
  const match: Match | null = roster.match(embedding);
  const said = { live, quality, similarity: match?.similarity ?? null, margin: match?.margin ?? null };
  const reasons = failures(quality, COMPARE);
  if (reasons.length > 0) return { ...said, result: 'unclear', person: null, reasons };
  const look = { match, live };
  if (accepts(look, rule)) {
    const { blocked, person } = look.match;
    return { ...said, result: blocked ? 'blocked' : 'known', person, reasons };
  }
  const like = match !== null && match.similarity >= rule.threshold;
  return { ...said, result: like ? 'unclear' : 'stranger', person: null, reasons };
}
