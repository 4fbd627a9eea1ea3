import { QuanweiError } from '../../kernel/errors.ts';

/** As much of ISO/IEC 14496-12 (fragmented MP4) as a live view needs: where a fragment begins, and with what. */

/** No fragment of a live view is larger, bytes; ffmpeg is told to cut twice a second. */
const LARGEST = 16 * 1024 * 1024;
const HEADER = 8;
const LARGE_HEADER = 16;

export interface Mp4Events {
  /** `ftyp` and `moov`: what a player needs first. */
  init(bytes: Buffer): void;
  /** `moof` and `mdat`. @param key whether a player may begin here */
  fragment(bytes: Buffer, key: boolean): void;
}

/** Cuts a fragmented MP4 that comes in pieces into its initialisation and its fragments. */
export class Mp4Reader {
  readonly #events: Mp4Events;
  #waiting: Buffer = Buffer.alloc(0);
  #init: Buffer[] = [];
  #moof: Buffer | null = null;

  constructor(events: Mp4Events) {
    this.#events = events;
  }

  /** @throws QuanweiError BAD_PICTURE this is no fragmented MP4 */
  write(chunk: Buffer): void {
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    for (;;) {
      const size = sizeOf(this.#waiting);
      if (size === null || this.#waiting.length < size) return;
      const box = this.#waiting.subarray(0, size);
      this.#waiting = this.#waiting.subarray(size);
      this.#box(box, typeAt(box, 0));
    }
  }

  #box(box: Buffer, type: string): void {
    if (type === 'ftyp') this.#init = [Buffer.from(box)];
    else if (type === 'moov') {
      this.#init.push(Buffer.from(box));
      this.#events.init(Buffer.concat(this.#init));
    } else if (type === 'moof') this.#moof = Buffer.from(box);
    else if (type === 'mdat' && this.#moof !== null) {
      const moof = this.#moof;
      this.#moof = null;
      this.#events.fragment(Buffer.concat([moof, box]), beginsWithKey(moof));
    }
  }
}

function sizeOf(bytes: Buffer): number | null {
  if (bytes.length < HEADER) return null;
  let size = bytes.readUInt32BE(0);
  if (size === 1) {
    if (bytes.length < LARGE_HEADER) return null;
    size = Number(bytes.readBigUInt64BE(HEADER));
  }
  if (size < HEADER || size > LARGEST) throw new QuanweiError('BAD_PICTURE', `a box of ${size} bytes in a live stream`);
  return size;
}

const typeAt = (bytes: Buffer, at: number): string => bytes.toString('latin1', at + 4, at + 8);

/** The boxes inside a box. */
function* inside(box: Buffer): Generator<{ type: string; body: Buffer }> {
  for (let at = HEADER; at + HEADER <= box.length; ) {
    const size = box.readUInt32BE(at);
    if (size < HEADER || at + size > box.length) return;
    yield { type: typeAt(box, at), body: box.subarray(at, at + size) };
    at += size;
  }
}

/** The first box of this type, looked for through those that only hold others. */
function find(box: Buffer, type: string, through: readonly string[]): Buffer | null {
  for (const one of inside(box)) {
    if (one.type === type) return one.body;
    const found = through.includes(one.type) ? find(one.body, type, through) : null;
    if (found !== null) return found;
  }
  return null;
}

const FIRST_SAMPLE_FLAGS = 0x4;
const SAMPLE_FLAGS = 0x400;
/** `sample_is_non_sync_sample` of the sample flags, §8.8.3.1 */
const NON_SYNC = 0x10000;
/** Optional fields of `tfhd` that lie before its default flags, and their bytes; §8.8.7 */
const TFHD_BEFORE = [
  [0x1, 8],
  [0x2, 4],
  [0x8, 4],
  [0x10, 4],
] as const;
const DEFAULT_FLAGS = 0x20;

/** Whether the first sample of a fragment is one that a decoder can begin with; §8.8.8 */
export function beginsWithKey(moof: Buffer): boolean {
  const trun = find(moof, 'trun', ['traf']);
  if (trun === null || trun.length < 20) return false;
  const flags = trun.readUInt32BE(8) & 0xffffff;
  let at = 16 + ((flags & 0x1) === 0 ? 0 : 4);
  if ((flags & FIRST_SAMPLE_FLAGS) !== 0) return at + 4 <= trun.length && (trun.readUInt32BE(at) & NON_SYNC) === 0;
  if ((flags & SAMPLE_FLAGS) !== 0) {
    at += ((flags & 0x100) === 0 ? 0 : 4) + ((flags & 0x200) === 0 ? 0 : 4);
    return at + 4 <= trun.length && (trun.readUInt32BE(at) & NON_SYNC) === 0;
  }
  const tfhd = find(moof, 'tfhd', ['traf']);
  if (tfhd === null) return false;
  const told = tfhd.readUInt32BE(8) & 0xffffff;
  if ((told & DEFAULT_FLAGS) === 0) return false;
  const place = 16 + TFHD_BEFORE.reduce((sum, [bit, bytes]) => sum + ((told & bit) === 0 ? 0 : bytes), 0);
  return place + 4 <= tfhd.length && (tfhd.readUInt32BE(place) & NON_SYNC) === 0;
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0').toUpperCase();

/**
 * What a browser is asked whether it can play: `avc1.64001F`, `hvc1.1.6.L93.B0` (RFC 6381; ISO/IEC 14496-15 §5.4, §8.3
 * and annex E).
 * @returns `null` for a codec that no browser plays this way
 */
export function codecOf(init: Buffer): string | null {
  const avc = record(init, 'avcC');
  if (avc !== null && avc.length >= 4) return `avc1.${hex(avc[1] ?? 0)}${hex(avc[2] ?? 0)}${hex(avc[3] ?? 0)}`;
  const hevc = record(init, 'hvcC');
  if (hevc === null || hevc.length < 13) return null;
  const general = hevc[1] ?? 0;
  const space = ['', 'A', 'B', 'C'][general >> 6] ?? '';
  const tier = (general & 0x20) === 0 ? 'L' : 'H';
  const constraints = [...hevc.subarray(6, 12)];
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop();
  const name = init.includes('hev1', 0, 'latin1') ? 'hev1' : 'hvc1';
  const parts = [`${name}.${space}${general & 0x1f}`, reversed(hevc.readUInt32BE(2)).toString(16).toUpperCase()];
  return [...parts, `${tier}${hevc[12]}`, ...constraints.map((byte) => byte.toString(16).toUpperCase())].join('.');
}

/** The compatibility flags are told with their bits the other way round. */
function reversed(bits: number): number {
  let out = 0;
  for (let i = 0; i < 32; i += 1) out = (out << 1) | ((bits >>> i) & 1);
  return out >>> 0;
}

/** The content of a decoder configuration record. The sample description's own form is passed over: the name suffices. */
function record(init: Buffer, type: string): Buffer | null {
  const at = init.indexOf(type, 0, 'latin1');
  if (at < 4) return null;
  const size = init.readUInt32BE(at - 4);
  return size < HEADER || at - 4 + size > init.length ? null : init.subarray(at + 4, at - 4 + size);
}
