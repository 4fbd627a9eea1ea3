import { expect, test } from 'vitest';
import { Lasting } from '../../../src/vision/health/lasting.ts';
import { PictureHealth } from '../../../src/vision/health/picture-health.ts';
import type { Grey } from '../../../src/vision/picture.ts';
import { pedestrians } from '../../support/vision-material.ts';
import { made } from '../capture/clips.ts';
import { greyFilm, still as standing } from '../grey-film.ts';

const SECONDS = 20;

/** Real footage, degraded; a plane a second, played forward and back for as long as it takes. */
async function scene(name: string, filter = 'null'): Promise<Grey[]> {
  const few = ['-vf', 'fps=1,scale=640:360', '-c:v', 'ffv1'];
  const film = made('a-frame-a-second.mkv', '-t', `${SECONDS}`, '-i', await pedestrians(), ...few);
  return greyFilm(`health-${name}`, ['-i', film], filter, 1);
}

class Camera {
  readonly health = new PictureHealth();
  readonly told: string[] = [];
  #at = 0;
  /** Frames come in the same memory, again and again. */
  readonly #plane: Grey = { width: 160, height: 90, data: new Uint8Array(160 * 90) };

  /** @returns what was told meanwhile, with the seconds since the beginning of this part */
  show(planes: readonly Grey[], seconds: number, step = 1): string[] {
    const told: string[] = [];
    for (let second = 0; second < seconds; second += step, this.#at += step * 1_000) {
      const turn = Math.floor(second / step) % (2 * planes.length - 2);
      const grey = planes[turn < planes.length ? turn : 2 * planes.length - 2 - turn] as Grey;
      this.#plane.data.set(grey.data);
      for (const { condition, active } of this.health.look(this.#plane, this.#at))
        told.push(`${active ? '+' : '-'}${condition}@${second}`);
    }
    return told;
  }
}

const TROUBLES: [condition: string, filter: string][] = [
  ['dark', 'lutyuv=y=16+(val-16)*0.05:u=128:v=128'],
  ['bright', 'lutyuv=y=225+val*0.05'],
  ['covered', 'gblur=sigma=60,lutyuv=y=90+val*0.05'],
  ['blurred', 'gblur=sigma=8'],
  ['moved', 'crop=iw-100:ih:100:0,pad=iw+100:ih:0:0'],
  ['moved', 'hflip,vflip'],
];

test.each(TROUBLES)(
  'a picture that becomes %s is told when it lasts, and taken back when it is over (%s)',
  async (condition, filter) => {
    const camera = new Camera();
    const normal = await scene('normal');
    expect(camera.show(normal, 60)).toEqual([]);
    // Somebody who wipes the lens is not worth a word.
    expect(camera.show(await scene(`${condition}-${filter.length}`, filter), 4)).toEqual([]);
    expect(camera.show(normal, 40)).toEqual([]);
    const told = camera.show(await scene(`${condition}-${filter.length}`, filter), 60);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(new RegExp(`^\\+${condition}@`));
    expect(Number(told[0]?.split('@')[1])).toBeLessThanOrEqual(30);
    const back = camera.show(normal, 60);
    expect(back).toHaveLength(1);
    expect(back[0]).toMatch(new RegExp(`^-${condition}@`));
    expect(camera.health.active).toEqual([]);
  },
);

test.each([
  ['dusk', 'lutyuv=y=16+(val-16)*0.3'],
  ['low contrast, as in rain', 'eq=contrast=0.5'],
  ['deep shadows', 'eq=gamma=0.6'],
  ['a little out of focus', 'gblur=sigma=1.2'],
])('%s is no trouble, however long it lasts', async (name, filter) => {
  const camera = new Camera();
  expect(camera.show(await scene('normal'), 60)).toEqual([]);
  expect(camera.show(await scene(name.slice(0, 4), filter), 120)).toEqual([]);
});

test('a picture that stands still is frozen after a minute; a still scene with a sensor’s noise is not', async () => {
  const camera = new Camera();
  const normal = await scene('normal');
  expect(camera.show(normal, 30)).toEqual([]);
  const [one] = normal as [Grey];
  expect(camera.show([one, one], 59)).toEqual([]);
  expect(camera.show([one, one], 20)).toEqual([expect.stringMatching(/^\+frozen@/)]);
  expect(camera.show(normal, 10)).toEqual([expect.stringMatching(/^-frozen@/)]);
  const still = await scene('still', standing(20, 1));
  expect(new Camera().show(still, 300)).toEqual([]);
});

test('a camera that was turned on purpose is not in trouble for ever', async () => {
  const camera = new Camera();
  camera.show(await scene('normal'), 60);
  const turned = await scene('turned', 'hflip,vflip');
  expect(camera.show(turned, 60)).toEqual([expect.stringMatching(/^\+moved/)]);
  expect(camera.show(turned, 3_800, 10)).toEqual([expect.stringMatching(/^-moved/)]);
});

test('a condition that trembles between its limits is told once', () => {
  const lasting = new Lasting({ on: 5_000, off: 5_000 });
  let changes = 0;
  for (let at = 0; at < 600_000; at += 1_000) {
    const holds = at < 20_000 ? true : at % 3_000 === 0 ? false : null;
    if (lasting.look(holds, at)) changes += 1;
  }
  expect(changes).toBe(1);
  expect(lasting.active).toBe(true);
});
