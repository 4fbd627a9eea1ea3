import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../../src/kernel/clock.ts';
import { createLog } from '../../../src/kernel/log.ts';
import { BOUNDS, ForkedInference } from '../../../src/vision/inference/forked.ts';
import { persons, type Stage, stage, turn } from './scripted-child.ts';

const parts = { clock: new SimulatedClock(), log: createLog('test', 'silent'), random: () => 0.5 };
const PICTURE = new Uint8Array(32 * 32 * 3);

/** Sends pictures and notes, by name, how each ended. */
function ends({ inference }: Stage) {
  const seen: Record<string, 'found' | 'null' | string> = {};
  const send = (name: string, source = name) =>
    inference.run('persons', 'p', PICTURE, source).then(
      (found) => {
        seen[name] = found === null ? 'null' : 'found';
      },
      (thrown: { code: string }) => {
        seen[name] = thrown.code;
      },
    );
  return { seen, send };
}

describe('the way of a picture', () => {
  test('what waits travels in one message, and the next batch is there before the last answer', async () => {
    const on = await stage({ bounds: { batch: 3 } });
    const { seen, send } = ends(on);
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => send(name));
    await turn();
    expect(on.child().batches.map((batch) => batch.length)).toEqual([3]);
    on.child().answer();
    expect(on.child().batches).toHaveLength(1);
    on.child().answer();
    expect(on.child().batches.map((batch) => batch.length)).toEqual([1, 2]);
    for (let i = 0; i < 3; i++) on.child().answer();
    await Promise.all(all);
    expect(seen).toEqual({ a: 'found', b: 'found', c: 'found', d: 'found', e: 'found' });
    expect(on.inference.counts).toEqual({ done: 5, shed: 0, failed: 0, restarts: 0 });
  });

  test('a source that sends too much loses its oldest pictures, counted, and the others lose nothing', async () => {
    const on = await stage({ bounds: { batch: 1, perSource: 2 } });
    const { seen, send } = ends(on);
    void send('first', 'greedy');
    await turn();
    for (let i = 1; i <= 5; i++) void send(`greedy ${i}`, 'greedy');
    void send('modest');
    await turn();
    expect(seen).toEqual({ 'greedy 1': 'null', 'greedy 2': 'null', 'greedy 3': 'null' });
    for (let i = 0; i < 4; i++) {
      on.child().answer();
      await turn();
    }
    expect(seen).toMatchObject({ first: 'found', modest: 'found', 'greedy 4': 'found', 'greedy 5': 'found' });
    expect(on.inference.counts.shed).toBe(3);
    expect(on.inference.pending).toBe(0);
  });

  test('an error of one picture is that picture’s alone', async () => {
    const on = await stage();
    const { seen, send } = ends(on);
    const both = [send('bad'), send('good')];
    await turn();
    const bad = on.child().batches[0]?.shift();
    on.child().events.message({ type: 'failed', n: bad?.n ?? 0, error: { code: 'BAD_MODEL', message: 'no numbers' } });
    on.child().answer();
    await Promise.all(both);
    expect(seen).toEqual({ bad: 'BAD_MODEL', good: 'found' });
    expect(on.inference.counts).toMatchObject({ done: 1, failed: 1 });
  });

  test('a model that is not loaded, or finds something else, is not found', async () => {
    const { inference } = await stage();
    await expect(inference.run('persons', 'other', PICTURE, 'a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(inference.run('faces', 'p', PICTURE, 'a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(() => inference.size('other')).toThrow('not loaded');
    expect(inference.size('p')).toEqual({ width: 32, height: 32 });
  });

  test('a picture of another size than the model’s input is our own mistake', async () => {
    const { inference } = await stage();
    await expect(inference.run('persons', 'p', new Uint8Array(9), 'a')).rejects.toMatchObject({ code: 'INVARIANT' });
    expect(inference.pending).toBe(0);
  });
});

describe('a child that ends', () => {
  test('costs the pictures under way; what waits is done by the next child', async () => {
    const on = await stage({ bounds: { batch: 2 } });
    const { seen, send } = ends(on);
    for (const name of ['a', 'b', 'c']) void send(name);
    await turn();
    on.child().end();
    await turn();
    expect(seen).toEqual({ a: 'null', b: 'null' });
    on.clock.advance(400);
    expect(on.children).toHaveLength(2);
    on.child().ready();
    await turn();
    on.child().answer();
    await turn();
    expect(seen).toEqual({ a: 'null', b: 'null', c: 'found' });
    expect(on.inference.counts).toEqual({ done: 1, shed: 0, failed: 2, restarts: 1 });
  });

  test('an answer that comes after the end is nobody’s', async () => {
    const on = await stage();
    const { send } = ends(on);
    void send('a');
    await turn();
    const old = on.child();
    const n = old.batches[0]?.[0]?.n ?? 0;
    old.end();
    old.events.message({ type: 'found', n, found: [] });
    await turn();
    expect(on.inference.counts).toMatchObject({ done: 0, failed: 1 });
  });

  test('a run that takes longer than the bound ends the child; time without work does not', async () => {
    const on = await stage({ bounds: { runMs: 1_000 } });
    const { seen, send } = ends(on);
    on.clock.advance(3_600_000);
    expect(on.child().killed).toBe(false);
    void send('a');
    void send('b');
    await turn();
    on.clock.advance(900);
    on.child().answer();
    on.clock.advance(900);
    expect(on.child().killed).toBe(false);
    on.clock.advance(400);
    expect(on.child().killed).toBe(true);
    await turn();
    expect(seen).toEqual({ a: 'found', b: 'null' });
  });

  test('answers that lie in the channel while we ourselves stood still save the child', async () => {
    const on = await stage({ bounds: { runMs: 1_000 } });
    const { seen, send } = ends(on);
    void send('a');
    await turn();
    on.clock.advance(1_000);
    on.child().answer();
    on.clock.advance(10_000);
    await turn();
    expect(on.child().killed).toBe(false);
    expect(seen).toEqual({ a: 'found' });
  });

  test('loading is not held to the bound of a run, but has one of its own', async () => {
    const on = await stage({ bounds: { runMs: 1_000, loadMs: 20_000 } });
    on.child().end();
    on.clock.advance(400);
    on.clock.advance(19_000);
    expect(on.child().killed).toBe(false);
    on.clock.advance(2_000);
    expect(on.child().killed).toBe(true);
  });
});

describe('a child that ends again and again', () => {
  /** Ends the newest child until there is no next one within the longest wait. */
  async function exhaust(on: Stage): Promise<void> {
    for (;;) {
      const before = on.children.length;
      on.child().end('it was ended by SIGSEGV');
      on.clock.advance(10_000);
      await turn();
      if (on.children.length === before) return;
      on.child().ready();
    }
  }
  const bounds = { restarts: 3, windowMs: 100_000, probeMs: 200_000 };

  test('is given up with a reason told once; what waits is let go and what comes is refused', async () => {
    const on = await stage({ bounds: { ...bounds, batch: 1 } });
    const { seen, send } = ends(on);
    await exhaust(on);
    expect(on.inference.counts.restarts).toBe(3);
    expect(on.told).toEqual([expect.stringContaining('SIGSEGV')]);
    expect(on.inference.degraded).toBe(on.told[0]);
    await send('late');
    expect(seen).toEqual({ late: 'VISION_DEGRADED' });
    expect(on.inference.pending).toBe(0);
  });

  test('pictures that wait when it is given up are let go', async () => {
    const on = await stage({ bounds: { ...bounds, restarts: 1 } });
    const { seen, send } = ends(on);
    on.child().end();
    void send('a');
    on.clock.advance(400);
    on.child().end();
    await turn();
    expect(seen).toEqual({ a: 'null' });
    expect(on.told).toHaveLength(1);
  });

  test('a later probe brings it back, told once; one more fault and it is given up again', async () => {
    const on = await stage({ bounds });
    const { seen, send } = ends(on);
    await exhaust(on);
    const before = on.children.length;
    on.clock.advance(bounds.probeMs);
    expect(on.children).toHaveLength(before + 1);
    on.child().ready();
    expect(on.told).toEqual([expect.any(String), null]);
    void send('a');
    await turn();
    on.child().answer();
    await turn();
    expect(seen).toEqual({ a: 'found' });
    on.child().end();
    expect(on.told).toHaveLength(3);
  });

  test('a probe that fails says nothing new and is tried again later', async () => {
    const on = await stage({ bounds });
    await exhaust(on);
    for (let i = 0; i < 3; i++) {
      const before = on.children.length;
      on.clock.advance(bounds.probeMs);
      expect(on.children).toHaveLength(before + 1);
      on.child().end();
    }
    expect(on.told).toHaveLength(1);
  });

  test('the waits between restarts grow, and are short again after a healthy time', async () => {
    const on = await stage({ bounds: { restarts: 99 } });
    const waitAfterEnd = () => {
      const before = on.children.length;
      on.child().end();
      let ms = 0;
      for (; on.children.length === before; ms += 50) on.clock.advance(50);
      on.child().ready();
      return ms;
    };
    const waits = Array.from({ length: 6 }, waitAfterEnd);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits[5]).toBeGreaterThan(5_000);
    on.clock.advance(BOUNDS.stableMs + 1);
    expect(waitAfterEnd()).toBeLessThan(500);
  });
});

describe('the first start', () => {
  test('fails with the reason when a model cannot be used, and leaves no child', async () => {
    const killed: string[] = [];
    const starting = ForkedInference.start({
      models: [persons('p')],
      ...parts,
      launch: (events) => {
        queueMicrotask(() =>
          events.message({ type: 'unloadable', error: { code: 'BAD_MODEL', message: 'broken', where: '/p.onnx' } }),
        );
        return {
          pid: 1,
          send: () => undefined,
          kill: () => events.ended(killed.push('child') === 1 ? 'killed' : 'killed again'),
        };
      },
    });
    await expect(starting).rejects.toMatchObject({ code: 'BAD_MODEL', where: '/p.onnx' });
    expect(killed).toEqual(['child']);
  });

  test('fails when the child ends while it loads', async () => {
    const starting = ForkedInference.start({
      models: [persons('p')],
      ...parts,
      launch: (events) => {
        queueMicrotask(() => events.ended('it was ended by SIGILL'));
        return { pid: 1, send: () => undefined, kill: () => undefined };
      },
    });
    await expect(starting).rejects.toMatchObject({ code: 'VISION_DEGRADED', message: /SIGILL/ });
  });
});

describe('closing', () => {
  test('lets every picture go and starts no other child', async () => {
    const on = await stage({ bounds: { batch: 1 } });
    const { seen, send } = ends(on);
    void send('under way');
    void send('waiting');
    await turn();
    await on.inference.close();
    await turn();
    expect(on.child().killed).toBe(true);
    await send('late');
    expect(seen).toEqual({ 'under way': 'null', waiting: 'null', late: 'null' });
    on.clock.advance(3_600_000);
    expect(on.children).toHaveLength(1);
  });

  test('while it waits to be started again', async () => {
    const on = await stage();
    on.child().end();
    await on.inference.close();
    on.clock.advance(3_600_000);
    expect(on.children).toHaveLength(1);
  });
});
