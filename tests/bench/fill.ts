import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { databaseFile } from '../../src/journal/database.ts';
import { prepareDatabase } from '../../src/journal/opening.ts';
import type { WireEntry, WireRequest } from '../../src/journal/wire.ts';
import { Writer } from '../../src/journal/writer.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';

/** Entries in one transaction: what a full disk queue would be. */
const BATCH = 2_000;
const DOORS = 200;

/**
 * Fills a data directory with what a compound's doors say in a year, through the real writer: same tables, same chain,
 * same summaries. No gateway may run on it. About 50,000 entries a second.
 * @param lane where the entries wait for the centre; 2 is that of passes, `null` keeps them in the box
 */
export function fill(dir: string, entries: number, lane: 2 | null = 2): void {
  mkdirSync(dir, { recursive: true });
  const clock = new SystemClock();
  const newId = idSource(clock);
  const { db } = prepareDatabase(dir, clock, null);
  const writer = Writer.open(databaseFile(dir), clock.boot);
  db.close();
  const begun = clock.wall() - entries * 100;
  const pass = (n: number): WireEntry => {
    const door = `door-${(n % DOORS) + 1}`;
    const wall = begun + n * 100;
    const detail = { person: `P${n % 5_000}`, name: '张三', similarity: 91.4, record: n, method: 'face' };
    return {
      head: {
        id: newId(),
        kind: 'message',
        actor: `device:${door}`,
        subject: door,
        wall,
        mono: n * 100,
        clock: 'synced',
        deviceTime: wall - 400,
        lane,
      },
      key: randomBytes(16).toString('hex'),
      body: JSON.stringify({
        topic: `mqtt/face/${door}/Rec`,
        message: 'RecPush',
        events: [
          {
            device: door,
            category: 'access.granted',
            kind: 'pulse',
            active: true,
            replayed: false,
            test: false,
            deviceTime: wall - 400,
            detail,
          },
        ],
        raw: JSON.stringify({ operator: 'RecPush', info: { ...detail, facesluiceId: door, Sendintime: '1' } }),
      }),
    };
  };
  for (let n = 0; n < entries; n += BATCH) {
    const request: WireRequest = {
      n: 1,
      entries: Array.from({ length: Math.min(BATCH, entries - n) }, (_, i) => pass(n + i)),
      changes: [],
      erase: [],
      remove: [],
    };
    const { failure } = writer.commit([request]);
    if (failure !== null) throw new Error(failure.message);
    writer.checkpoint(500);
  }
  writer.close(clock.wall());
}

const [, script, dir, count = '1000000'] = process.argv;
if (script?.endsWith('fill.ts') === true) {
  if (dir === undefined) throw new Error('tsx tests/bench/fill.ts DIR [ENTRIES]');
  fill(dir, Number(count));
}
