import { appendFileSync, existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { GatewayConfig } from '../../src/config/schema.ts';
import { DiskWatch } from '../../src/journal/disk-watch.ts';
import type { Entry, Lane } from '../../src/journal/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { Pace } from '../../src/journal/pace.ts';
import type { SimulatedClock } from '../../src/kernel/clock.ts';
import { canMount, smallDisk } from './mount.ts';
import { draft, newStart, open, quiet, until, verified } from './support.ts';

const MiB = 1024 * 1024;
const DAY = 86_400_000;

/** Another program fills the disk up to `left` bytes. */
function fill(dir: string, left: number): string {
  const file = join(dir, 'somebody-elses');
  writeFileSync(file, '');
  for (;;) {
    const { bavail, bsize } = statfsSync(dir);
    const room = Math.min(bavail * bsize - left, MiB);
    if (room <= 0) return file;
    appendFileSync(file, Buffer.alloc(room));
  }
}

async function watch(
  journal: Journal,
  clock: SimulatedClock,
  minFree: number,
  protect: (seq: number, lane: Lane | null) => boolean = () => false,
): Promise<DiskWatch> {
  const { retention } = GatewayConfig.parse({ site: { id: 'a', name: 'a', street: 'a' } });
  const disk = new DiskWatch({ journal, clock, log: quiet, protect, config: { ...retention, minFree } });
  disk.start();
  onTestFinished(() => disk.stop());
  await disk.look();
  return disk;
}

const message = (n: number, more = {}) => draft({ body: { n, text: 'm'.repeat(1_500) }, ...more });
const alarm = (n: number) => draft({ kind: 'alarm.raised', subject: `alarm-${n}`, lane: 0, body: { n } });

/** Appends as a device does: the same thing again until it is acknowledged. */
async function insist(journal: Journal, clock: SimulatedClock, entry: ReturnType<typeof draft>): Promise<Entry> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    try {
      return (await journal.append([entry]))[0] as Entry;
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'STORAGE_FULL' });
      clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  throw new Error('the journal never took it');
}

describe.runIf(canMount())('full disk', () => {
  test('refuses, says so, keeps all it acknowledged, and goes on by itself when there is room', async () => {
    const dir = smallDisk(16);
    const clock = newStart();
    const journal = await open(dir, clock);
    const states: (string | null)[] = [];
    journal.onState(({ error }) => states.push(error?.code ?? null));
    const filler = fill(dir, 2 * MiB);
    const acknowledged: Entry[] = [];
    let refused = 0;
    for (let n = 0; n < 20_000 && refused < 20; n += 1) {
      try {
        acknowledged.push(...(await journal.append([message(n), message(n)])));
      } catch (thrown) {
        refused += 1;
        expect(thrown).toMatchObject({ code: 'STORAGE_FULL' });
      }
    }
    expect(refused).toBe(20);
    expect(journal.state()).toMatchObject({ ok: false, error: { code: 'STORAGE_FULL' } });
    expect(journal.read({ limit: 99_999 }).map(({ id }) => id)).toEqual(acknowledged.map(({ id }) => id));

    rmSync(filler);
    await until(() => {
      clock.advance(1_000);
      return journal.state().ok;
    }, 'recovery');
    const [next] = await journal.append([message(-1)]);
    expect(next?.seq).toBeGreaterThan(acknowledged.length);
    expect(states[0]).toBe('STORAGE_FULL');
    expect(states.at(-1)).toBeNull();
    await until(() => journal.read({ limit: 1, kinds: ['system.storage'] }).length === 1, 'the entry about it');
    await journal.close();
    expect(verified(dir)).toMatchObject({ broken: null, head: journal.head() });
  });

  test('gives up the least missed records first, oldest first, and counts every loss', {
    timeout: 120_000,
  }, async () => {
    const dir = smallDisk(32);
    const clock = newStart();
    const journal = await open(dir, clock);
    const disk = await watch(journal, clock, 8 * MiB);
    let stored = 0;
    for (let n = 0; n < 300; n += 1) {
      const more = Array.from({ length: 100 }, () => message(n));
      stored += (await journal.append([...more, alarm(n), draft({ kind: 'unknown', body: { n } })])).length;
      clock.stepWall(clock.wall() + DAY / 300);
      if (n % 5 === 0) await disk.look();
    }
    await disk.look();
    const left = journal.read({ limit: 99_999 });
    const of = (kind: string) => left.filter((entry) => entry.kind === kind);
    expect(of('alarm.raised')).toHaveLength(300);
    const numbers = of('message').map(({ body }) => (body as { n: number }).n);
    expect(numbers.length).toBeGreaterThan(500);
    expect(numbers.at(-1)).toBe(299);
    // What is left is the newest stretch, without holes.
    expect(new Set(numbers).size).toBe(300 - (numbers[0] as number));
    // The lower class went first: of the unknown messages nothing older than the oldest known one is left.
    for (const { body } of of('unknown'))
      expect((body as { n: number }).n).toBeGreaterThanOrEqual(numbers[0] as number);
    const counted = of('system.dropped').reduce((sum, { body }) => sum + (body as { count: number }).count, 0);
    expect(counted).toBe(stored - of('message').length - of('alarm.raised').length - of('unknown').length);
    expect(of('system.storage').map(({ body }) => (body as { what: string }).what)).toContain('disk low');
    expect((await journal.measure()).freeBytes).toBeGreaterThanOrEqual(8 * MiB - 2 * MiB);
    expect(verified(dir)).toMatchObject({ broken: null, removed: counted });
  });

  test.each([
    ['', null],
    [', and the writer is handed over again and again', 11],
  ])('an alarm is taken although another program has filled the disk to the last byte%s', async (_, every) => {
    if (every !== null) {
      let commits = 0;
      const note = vi.spyOn(Pace.prototype, 'note').mockImplementation(() => {
        commits += 1;
        return Math.floor(commits / every) % 2 === 1 ? 'there' : 'here';
      });
      onTestFinished(() => note.mockRestore());
    }
    const dir = smallDisk(32);
    const clock = newStart();
    const journal = await open(dir, clock);
    for (let n = 0; n < 60; n += 1) await journal.append(Array.from({ length: 100 }, () => message(n)));
    await watch(journal, clock, 1 * MiB);
    expect(existsSync(join(dir, 'quanwei.ballast'))).toBe(true);
    const filler = fill(dir, 0);
    for (let n = 0; n < 500; n += 1) await insist(journal, clock, message(n));
    const raised = await insist(journal, clock, alarm(1));
    expect(journal.read({ limit: 9, kinds: ['alarm.raised'] })).toMatchObject([{ id: raised.id }]);
    await until(
      () => journal.read({ limit: 9, kinds: ['system.dropped'] }).length > 0,
      'the count of what was dropped',
    );

    rmSync(filler);
    await until(() => {
      clock.advance(10_000);
      return existsSync(join(dir, 'quanwei.ballast'));
    }, 'the ballast taken again');
    await journal.close();
    expect(verified(dir).broken).toBeNull();
  });

  test('alarms the centre has not got are held back whatever happens; its other records go only after the rest', async () => {
    const dir = smallDisk(16);
    const clock = newStart();
    const journal = await open(dir, clock);
    for (let n = 0; n < 40; n += 1) {
      await journal.append([alarm(n), ...Array.from({ length: 60 }, () => message(n, { lane: n < 20 ? 2 : null }))]);
    }
    clock.stepWall(clock.wall() + 60 * DAY);
    const { freeBytes } = await journal.measure();
    const behind = (_: number, lane: Lane | null) => lane !== null;
    // A little more room than there is: messages that nobody waits for are enough.
    await watch(journal, clock, freeBytes + 1 * MiB, behind);
    const of = (lane: Lane | null) => journal.read({ limit: 99_999 }).filter((entry) => entry.lane === lane).length;
    expect(of(2)).toBe(1_200);
    expect(of(null)).toBeLessThan(1_260);
    // Far more than all the rest can give.
    await watch(journal, clock, 15 * MiB, behind);
    expect(of(2)).toBe(0);
    expect(of(0)).toBe(40);
    expect(verified(dir).broken).toBeNull();
  });
});
