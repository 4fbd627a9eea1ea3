/** MPEG-TS (ISO/IEC 13818-1) as far as it must be understood to cut it at key frames without decoding. */

const PACKET = 188;
const SYNC = 0x47;

/** Bytes of a stream from one picture up to the next. */
export interface Piece {
  /** Begins with a picture that needs no other. */
  readonly key: boolean;
  readonly bytes: Uint8Array;
}

/** Cuts a transport stream into pieces that begin with a picture of its video. */
export class TransportCutter {
  readonly #take: (piece: Piece, first: boolean) => void;
  #rest: Uint8Array = new Uint8Array(0);
  #pmtPid = -1;
  #videoPid = -1;
  #pat: Uint8Array | null = null;
  #pmt: Uint8Array | null = null;
  /** 0x1b H.264, 0x24 H.265; 0 until it is known. */
  streamType = 0;

  /** @param take `first`: the bytes begin a picture; else they go on with the one before */
  constructor(take: (piece: Piece, first: boolean) => void) {
    this.#take = take;
  }

  /** What a decoder needs before any piece. */
  get tables(): Uint8Array {
    return Buffer.concat([this.#pat ?? new Uint8Array(0), this.#pmt ?? new Uint8Array(0)]);
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    let from = 0;
    let begins = false;
    let key = false;
    for (; at + PACKET <= bytes.length; at += PACKET) {
      if (bytes[at] !== SYNC) {
        // Nothing ffmpeg writes: begin again at the next packet that looks like one.
        const next = bytes.indexOf(SYNC, at + 1);
        this.#hand(bytes.subarray(from, at), key, begins);
        begins = false;
        at = (next < 0 ? bytes.length : next) - PACKET;
        from = at + PACKET;
        continue;
      }
      const second = bytes[at + 1] ?? 0;
      const pid = ((second & 0x1f) << 8) | (bytes[at + 2] ?? 0);
      const starts = (second & 0x40) !== 0;
      if (!starts) continue;
      const packet = bytes.subarray(at, at + PACKET);
      if (pid === 0) this.#readPat(packet);
      else if (pid === this.#pmtPid) this.#readPmt(packet);
      else if (pid === this.#videoPid) {
        this.#hand(bytes.subarray(from, at), key, begins);
        from = at;
        begins = true;
        key = randomAccess(packet);
      }
    }
    const end = Math.min(at, bytes.length);
    this.#hand(bytes.subarray(from, end), key, begins);
    this.#rest = bytes.subarray(end);
  }

  #hand(bytes: Uint8Array, key: boolean, first: boolean): void {
    if (bytes.length > 0) this.#take({ key, bytes }, first);
  }

  #readPat(packet: Uint8Array): void {
    const table = sectionOf(packet);
    const pid = (((table[10] ?? 0) & 0x1f) << 8) | (table[11] ?? 0);
    if (pid !== this.#pmtPid) this.#pmt = null;
    this.#pmtPid = pid;
    this.#pat = packet.slice();
  }

  #readPmt(packet: Uint8Array): void {
    const table = sectionOf(packet);
    const infoLength = (((table[10] ?? 0) & 0x0f) << 8) | (table[11] ?? 0);
    const stream = table.subarray(12 + infoLength);
    this.streamType = stream[0] ?? 0;
    this.#videoPid = (((stream[1] ?? 0) & 0x1f) << 8) | (stream[2] ?? 0);
    this.#pmt = packet.slice();
  }
}

/** §2.4.3.5: the random access indicator of the adaptation field. */
const randomAccess = (packet: Uint8Array): boolean =>
  ((packet[3] ?? 0) & 0x20) !== 0 && (packet[4] ?? 0) > 0 && ((packet[5] ?? 0) & 0x40) !== 0;

/** §2.4.4: the table behind the header, the adaptation field and the pointer. */
function sectionOf(packet: Uint8Array): Uint8Array {
  const adaptation = ((packet[3] ?? 0) & 0x20) === 0 ? 0 : 1 + (packet[4] ?? 0);
  const payload = packet.subarray(4 + adaptation);
  return payload.subarray(1 + (payload[0] ?? 0));
}
