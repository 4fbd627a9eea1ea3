import type { Joints } from './body.ts';
import type { Vec } from './geometry.ts';
import type { Person } from './material.ts';
import { climb, inTurn, type Motion, mirrored, reaching, walk } from './motion.ts';
import type { Wall } from './scene.ts';
import { View } from './view.ts';

/** What really happens in a clip, for whoever judges what was seen in it. */
export interface Truth {
  readonly name: string;
  readonly seconds: number;
  readonly fps: number;
  /** Of the pictures that are analysed. */
  readonly width: number;
  readonly height: number;
  /** Of a person who stands before the wall. */
  readonly personPixels: number;
  /** Points in 0–1 of the picture, from left to right, as in the configuration of a camera. */
  readonly fence: { readonly top: readonly [number, number][]; readonly base: readonly [number, number][] };
  /** Seconds; `null`: nobody climbs. */
  readonly climb: {
    /** The second foot leaves the ground. */
    readonly leaves: number;
    /** A leg hangs on either side. */
    readonly straddles: number;
    /** Both feet are on the ground again. */
    readonly lands: number;
  } | null;
}

interface Cast {
  readonly person: Person;
  /** Metres */
  readonly height: number;
  readonly shade: number;
  act(joints: Joints): { motion: Motion; climb?: Truth['climb'] };
}

export interface Script {
  readonly name: string;
  readonly seconds: number;
  readonly seed: number;
  readonly wall: Wall;
  /** Height of a person before the wall, pixels of 360. */
  readonly pixels: number;
  /** Where the camera stands beside the middle, metres; on a mast of `mast` metres. */
  readonly aside: number;
  readonly mast: number;
  readonly cast: readonly Cast[];
}

const FOCAL = 560;
const PERSON = 1.72;

/** @param lines of the picture; everything else is in proportion */
export function viewOf({ pixels, aside, mast }: Script, lines = 360): View {
  const far = (FOCAL * PERSON) / pixels;
  const from: Vec = [aside, mast, Math.sqrt(Math.max(9, far * far - aside * aside))];
  return new View(Math.round((lines * 16) / 9), lines, (FOCAL * lines) / 360, from, [0, 1.35, 0]);
}

export function fenceOf(view: View, wall: Wall): Truth['fence'] {
  const along = (height: number): [number, number][] => {
    const points = [];
    // As much of it as is in the picture.
    for (let x = wall.from; x <= wall.to + 1e-6; x += (wall.to - wall.from) / 200) {
      const [px, py] = view.point([x, height, 0]);
      const at: [number, number] = [px / view.width, py / view.height];
      if (at.every((value) => value >= 0 && value <= 1)) points.push(at);
    }
    const [first, last] = [points[0], points[points.length - 1]];
    if (first === undefined || last === undefined) throw new RangeError('the wall is not in the picture');
    return [first, last].map(([x, y]) => [round(x), round(y)]);
  };
  return { top: along(wall.height), base: along(0) };
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4;

const wall = (kind: Wall['kind'], height: number): Wall => ({ kind, height, from: -14, to: 14 });

/** Comes along the wall, turns to it, climbs over, goes away on the other side. */
const climber = (person: Person, x: number, top: number, comes: number, mirror = false, pace = 1): Cast => ({
  person,
  height: PERSON,
  shade: 1,
  act: (joints) => {
    const side = mirror ? -x : x;
    const came = walk(
      joints,
      [
        [side - 4.2, 0, 1.7],
        [side - 0.5, 0, 1.1],
        [side, 0, 0.42],
      ],
      comes,
    );
    const over = climb(joints, side, top, came.ends + 0.5, pace);
    const away = walk(
      joints,
      [
        [side, 0, -0.5],
        [side + 0.6, 0, -1.6],
        [side + 7, 0, -2.2],
      ],
      over.lands + 0.7,
    );
    const motion = inTurn(
      { from: 0, motion: came.motion },
      { from: came.ends + 0.3, motion: over.motion },
      { from: over.lands + 0.7, motion: away.motion },
    );
    const { leaves, straddles, lands } = over;
    return {
      motion: mirror ? (t) => flipped(motion(t)) : motion,
      climb: { leaves: round(leaves), straddles: round(straddles), lands: round(lands) },
    };
  },
});
const flipped = (stance: ReturnType<Motion>): ReturnType<Motion> => (stance === null ? null : mirrored(stance));

const passer = (person: Person, points: readonly Vec[], begins: number, pace = 1.3, height = PERSON): Cast => ({
  person,
  height,
  shade: 1,
  act: (joints) => walk(joints, points, begins, pace),
});

const script = (name: string, rest: Omit<Script, 'name' | 'aside' | 'mast'> & Partial<Script>): Script => ({
  aside: 1.2,
  mast: 3.2,
  ...rest,
  name,
});

export const CLIMBS: readonly Script[] = [
  script('climb-brick-150', {
    seconds: 15,
    seed: 11,
    wall: wall('brick', 2),
    pixels: 150,
    cast: [climber('jacket', 0.3, 2, 1.2)],
  }),
  script('climb-brick-100', {
    seconds: 15,
    seed: 12,
    wall: wall('brick', 2.1),
    pixels: 100,
    cast: [climber('shirt', -1, 2.1, 1.2, true)],
    aside: -2,
  }),
  script('climb-brick-75', {
    seconds: 15,
    seed: 13,
    wall: wall('brick', 2),
    pixels: 75,
    cast: [climber('tee', 1.5, 2, 1.2)],
    mast: 4,
  }),
  script('climb-wire-110', {
    seconds: 15,
    seed: 14,
    wall: wall('wire', 2),
    pixels: 110,
    cast: [climber('tee', 0.6, 2, 1.2)],
    aside: 2.5,
  }),
  script('climb-wire-75', {
    seconds: 15,
    seed: 15,
    wall: wall('wire', 1.9),
    pixels: 75,
    cast: [climber('jacket', 0, 1.9, 1.2, true)],
    mast: 3.6,
  }),
];

export const DECOYS: readonly Script[] = [
  script('decoy-behind-brick', {
    seconds: 10,
    seed: 21,
    wall: wall('brick', 1.25),
    pixels: 120,
    cast: [
      passer(
        'shirt',
        [
          [-7, 0, -0.9],
          [7, 0, -0.9],
        ],
        0,
        1.4,
      ),
    ],
  }),
  script('decoy-in-front', {
    seconds: 10,
    seed: 22,
    wall: wall('brick', 2),
    pixels: 110,
    cast: [
      passer(
        'jacket',
        [
          [-6, 0, 1.2],
          [1, 0, 0.8],
          [7, 0, 1.4],
        ],
        0,
      ),
      passer(
        'woman',
        [
          [6, 0, 2.4],
          [-7, 0, 2],
        ],
        0.5,
      ),
    ],
  }),
  script('decoy-arms-raised', {
    seconds: 11,
    seed: 23,
    wall: wall('brick', 2),
    pixels: 120,
    cast: [
      {
        person: 'tee',
        height: PERSON,
        shade: 1,
        act: (joints) => {
          const came = walk(
            joints,
            [
              [-4, 0, 1.6],
              [0.2, 0, 0.75],
            ],
            0.3,
          );
          return {
            motion: inTurn(
              { from: 0, motion: came.motion },
              { from: came.ends + 0.3, motion: reaching(joints, [0.2, 0, 0.75], Math.PI - 0.3, came.ends + 0.8, 4.5) },
            ),
          };
        },
      },
    ],
  }),
  script('decoy-behind-wire', {
    seconds: 10,
    seed: 24,
    wall: wall('wire', 2),
    pixels: 110,
    cast: [
      passer(
        'jacket',
        [
          [7, 0, -1.4],
          [-7, 0, -1.4],
        ],
        0,
      ),
      passer(
        'tee',
        [
          [-9, 0, -4],
          [9, 0, -4],
        ],
        0.5,
        1.6,
      ),
    ],
  }),
];

export const PASSERS: readonly Script[] = [
  script('passers', {
    seconds: 12,
    seed: 31,
    wall: wall('brick', 2.1),
    pixels: 115,
    cast: [
      passer(
        'woman',
        [
          [-6, 0, 2.2],
          [6.5, 0, 1.6],
        ],
        0,
      ),
      passer(
        'jacket',
        [
          [6, 0, 1.1],
          [-6.5, 0, 1.5],
        ],
        1.2,
        1.15,
      ),
      passer(
        'shirt',
        [
          [-7, 0, 3],
          [6, 0, 3.2],
        ],
        4.5,
        1.5,
      ),
    ],
  }),
];

/** For the demo: somebody comes over the wall, and a moment later again. */
export const DEMO_WALL: Script = script('demo-wall', {
  seconds: 24,
  seed: 41,
  wall: wall('brick', 2),
  pixels: 125,
  cast: [climber('jacket', 0.4, 2, 6)],
});

export const DEMO_GATE: Script = PASSERS[0] as Script;
