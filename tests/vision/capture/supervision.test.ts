import { expect, test } from 'vitest';
import { SimulatedClock } from '../../../src/kernel/clock.ts';
import { redact, rtspInput } from '../../../src/vision/capture/address.ts';
import { reasonOf, WRONG_PASSWORD } from '../../../src/vision/capture/reason.ts';
import { Supervision } from '../../../src/vision/capture/supervision.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Tries that end when the test says so. */
function supervised(random = () => 0.5, age = 15_000) {
  const clock = new SimulatedClock();
  const begun: number[] = [];
  const down: string[] = [];
  let finish: (reason: string) => void = () => undefined;
  let alive: () => void = () => undefined;
  let ends = 0;
  const supervision = new Supervision({
    clock,
    random,
    limits: { age },
    begin(isAlive) {
      begun.push(clock.mono());
      alive = isAlive;
      const over = new Promise<string>((resolve) => {
        finish = resolve;
      });
      return {
        over,
        end() {
          ends += 1;
          finish('ended');
        },
      };
    },
    down: (reason) => down.push(reason),
  });
  const pass = async (ms: number, step = 500) => {
    for (let passed = 0; passed < ms; passed += step) {
      clock.advance(step);
      await settled();
    }
  };
  return {
    supervision,
    clock,
    begun,
    down,
    pass,
    finish: (reason: string) => finish(reason),
    alive: () => alive(),
    ends: () => ends,
  };
}

test('a stream that fails at once, again and again, is tried less and less often, never in a loop', async () => {
  const { supervision, begun, pass, finish, down } = supervised(() => 0.9, 1e9);
  for (let n = 0; n < 20; n += 1) {
    finish('connection refused');
    await settled();
    await pass(61_000);
  }
  expect(begun).toHaveLength(21);
  expect(down).toHaveLength(20);
  const waits = begun.slice(1).map((at, n) => at - (begun[n] as number));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
  await supervision.stop();
});

test('after a wrong password it waits a minute at least, and longer each time', async () => {
  const { supervision, begun, pass, finish } = supervised(() => 1, 1e9);
  finish(WRONG_PASSWORD);
  await settled();
  await pass(59_000);
  expect(begun).toHaveLength(1);
  await pass(125_000);
  expect(begun).toHaveLength(2);
  finish(WRONG_PASSWORD);
  await settled();
  await pass(400_000);
  expect(begun).toHaveLength(2);
  await pass(200_000);
  expect(begun).toHaveLength(3);
  await supervision.stop();
});

test('only a stream that has lived for a minute counts as mended', async () => {
  const { supervision, begun, pass, finish, alive } = supervised(() => 1, 1e9);
  const fail = async () => {
    finish('no answer');
    await settled();
  };
  for (const wait of [3_000, 9_000, 27_000]) {
    alive();
    await pass(5_000);
    alive(); // short lives change nothing
    const before = begun.length;
    await fail();
    await pass(wait - 1_000);
    expect(begun).toHaveLength(before);
    await pass(1_000);
    expect(begun).toHaveLength(before + 1);
  }
  for (let n = 0; n < 13; n += 1) {
    alive();
    await pass(5_000);
  }
  await fail();
  const before = begun.length;
  await pass(3_000);
  expect(begun).toHaveLength(before + 1);
  await supervision.stop();
});

test('a stream that says nothing for 15 s is ended and told, whatever the wall clock does meanwhile', async () => {
  const { supervision, clock, down, pass, alive, ends } = supervised();
  alive();
  clock.stepWall(0);
  await pass(14_000);
  alive();
  clock.stepWall(Date.UTC(2099, 0, 1));
  await pass(14_000);
  expect(ends()).toBe(0);
  await pass(3_000);
  expect(ends()).toBe(1);
  expect(down).toEqual(['no picture for 15 s']);
  await supervision.stop();
});

test('credentials are in no reason and no log, however they are written', () => {
  for (const url of [
    'rtsp://admin:secret@10.0.0.8:554/main',
    'rtsp://admin:sec@ret@10.0.0.8/main',
    'rtsp://10.0.0.8/live?user=admin&password=secret&channel=1',
    'onvif://admin:secret@10.0.0.8',
  ]) {
    const text = redact(`[concat @ 0x1] Impossible to open '${url}'`);
    expect(text).not.toMatch(/admin|sec|ret/);
    expect(text).toContain('10.0.0.8');
    expect(reasonOf(`[x] strange thing at ${url}`)).not.toMatch(/sec|ret@/);
  }
  const { options, from, stdin } = rtspInput('rtsp://admin:secret@10.0.0.8/main', 'tcp');
  expect([...options, from].join(' ')).not.toContain('secret');
  expect(stdin).toContain('secret');
});

test('an address that could say more to ffmpeg than where to read is refused', () => {
  for (const url of ["rtsp://a/'\nfile '/etc/passwd", 'rtsp://a/\nfile x', 'file:///etc/passwd', 'rtsp://a/\\x']) {
    expect(() => rtspInput(url, 'tcp')).toThrow(/rtsp:\/\//);
  }
});
