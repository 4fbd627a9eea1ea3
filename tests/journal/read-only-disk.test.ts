import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/journal/entry.ts';
import { canMount, failingDisk, smallDisk } from './mount.ts';
import { draft, newStart, open, until, verified } from './support.ts';

describe.runIf(canMount())('a disk that cannot be written', () => {
  test('at start: refused with a reason', async () => {
    const dir = smallDisk(8);
    const journal = await open(dir);
    await journal.append([draft()]);
    await journal.close();
    execFileSync('mount', ['-o', 'remount,ro', dir]);
    await expect(open(dir)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    execFileSync('mount', ['-o', 'remount,rw', dir]);
    expect((await open(dir)).head()).toBe(1);
  });

  test('that turns read-only under way: refused, told, and everything acknowledged is there afterwards', async () => {
    const disk = failingDisk();
    const clock = newStart();
    const journal = await open(disk.dir, clock);
    const acknowledged: Entry[] = [];
    for (let n = 0; n < 50; n += 1) acknowledged.push(...(await journal.append([draft({ body: n })])));
    disk.fail();
    for (let n = 0; n < 5; n += 1) {
      await expect(journal.append([draft({ body: 'lost' })])).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    }
    expect(journal.state()).toMatchObject({ ok: false, error: { code: 'STORAGE_UNAVAILABLE' } });
    clock.advance(1_000);
    expect(journal.state().queue).toBe(1);
    await until(() => journal.state().queue === 0, 'the probe answered');
    expect(journal.state().ok).toBe(false);
    await journal.close();

    disk.mend();
    const again = await open(disk.dir);
    expect(again.opened).toMatchObject({ setAside: null, unclean: true });
    expect(again.read({ limit: 999 }).map(({ id }) => id)).toEqual(acknowledged.map(({ id }) => id));
    expect((await again.append([draft()]))[0]?.seq).toBe(51);
    await again.close();
    expect(verified(disk.dir)).toMatchObject({ entries: 51, broken: null });
  });
});
