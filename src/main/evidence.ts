import type { Alarm } from '../alarms/alarm.ts';
import { laterEvidence } from '../api/later-evidence.ts';
import type { VisionLink } from '../api/vision-link.ts';
import type { Journal } from '../journal/journal.ts';
import { QuanweiError } from '../kernel/errors.ts';
import { isMediaReference, mediaPart } from '../kernel/media.ts';
import { type Evidence, LARGEST_EVIDENCE, type OrderResult } from '../upstream/orders.ts';

/** Where the cameras' pictures and clips lie: here, or with a vision process on another box. */
export interface EvidencePlaces {
  readonly link: Pick<VisionLink, 'ask'>;
  /** Directory that `media/` lies in */
  readonly data: string;
}

/** sha256 by reference, of everything that was told of an alarm: its newest pictures, those before, sharper ones, and clips. */
export async function evidenceOf(journal: Journal, alarm: Alarm, now: number): Promise<ReadonlyMap<string, string>> {
  const entries = journal.read({ subject: alarm.id, limit: 500 });
  const told = entries.flatMap(({ body }) => (body as { alarm?: Partial<Alarm> } | null)?.alarm?.evidence ?? []);
  const later = await laterEvidence(journal, alarm, entries, now);
  return new Map([...told, ...alarm.evidence, ...later].map(({ ref, sha256 }) => [ref, sha256]));
}

/**
 * Reads a piece of evidence, never more than may be sent.
 * @throws QuanweiError NOT_FOUND it is not kept; CAMERA_UNAVAILABLE the vision process that keeps it is away
 */
export async function readEvidence({ link, data }: EvidencePlaces, ref: string): Promise<Evidence | OrderResult> {
  if (!isMediaReference(ref)) throw gone(ref);
  const part = mediaPart(data, ref, undefined);
  if (part?.open !== undefined) {
    const { headers, open } = part;
    const size = Number(headers['content-length']);
    return size > LARGEST_EVIDENCE
      ? tooLarge(size)
      : { mediaType: String(headers['content-type']), bytes: await all(open()) };
  }
  const answer = await link.ask(`/${ref}`);
  const size = Number(answer.headers['content-length'] ?? 0);
  if (answer.statusCode === 200 && size <= LARGEST_EVIDENCE) {
    return { mediaType: answer.headers['content-type'] ?? 'image/jpeg', bytes: await all(answer) };
  }
  answer.destroy();
  if (answer.statusCode === 200) return tooLarge(size);
  throw gone(ref);
}

async function all(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    chunks.push(chunk);
    // One that grows while it is read is none of ours.
    if (size > LARGEST_EVIDENCE) break;
  }
  return Buffer.concat(chunks);
}

const tooLarge = (size: number): OrderResult => ({
  ok: false,
  code: 'TOO_LARGE',
  detail: `${size} bytes; at most ${LARGEST_EVIDENCE} are sent`,
});

const gone = (ref: string): QuanweiError => new QuanweiError('NOT_FOUND', `${ref} is not kept on this box`);
