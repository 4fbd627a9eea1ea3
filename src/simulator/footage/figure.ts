import sharp from 'sharp';
import { type Joints, SEGMENTS, type Segment, type Side } from './body.ts';
import { mix, scale, sub, type Vec } from './geometry.ts';
import { type Material, PEOPLE, type Person, type Piece } from './material.ts';

/** One textured surface of a figure, in its upright posture, metres, feet at y = 0, facing +z. */
export interface Surface {
  /** [3 · vertices] */
  readonly points: Float32Array;
  /** [4 · vertices] places in `SEGMENTS`, and how much each counts; the four of a vertex add up to 1. */
  readonly parts: Uint8Array;
  readonly weights: Float32Array;
  /** [3 · triangles] vertices, and [6 · triangles] u, v in pixels of the texture. */
  readonly corners: Uint32Array;
  readonly places: Float32Array;
  readonly texture: Texture;
  /** Both sides of it are seen, as of a lock of hair. */
  readonly open: boolean;
}

export interface Texture {
  readonly width: number;
  readonly height: number;
  /** rgba */
  readonly data: Uint8Array;
}

export interface Figure {
  readonly joints: Joints;
  /** Metres */
  readonly height: number;
  readonly surfaces: readonly Surface[];
}

/** three.js geometry, JSON format 3, with what the package adds. */
interface Mesh {
  readonly vertices: number[];
  readonly uvs: [number[]];
  readonly faces: number[];
  readonly skinIndices: number[];
  readonly skinWeights: number[];
  readonly bones: readonly { readonly name: string }[];
  /** Clothes hang on the body: three vertices of it for each of theirs, their shares, and what is added. */
  readonly ref_vIdxs?: readonly [number, number, number][];
  readonly weights?: readonly [number, number, number][];
  readonly offsets?: readonly [number, number, number][];
  readonly metadata: { readonly joint_pos_idxs?: Record<string, number[]> };
}

/** Pixels, a power of two. */
const TEXTURE_SIZE = 512;
/** Of the body only what no clothes cover is drawn. */
const BARE: ReadonlySet<Segment> = new Set<Segment>(['head', 'neck', 'hand.L', 'hand.R', 'forearm.L', 'forearm.R']);
const BARE_ARMS: ReadonlySet<Segment> = new Set<Segment>([...BARE, 'upperArm.L', 'upperArm.R']);

export async function loadFigure(material: Material, person: Person, height = 1.72): Promise<Figure> {
  const wardrobe = PEOPLE[person];
  const body = JSON.parse((await material.body()).toString('utf8')) as Mesh;
  const target = await material.target(wardrobe.target);
  const shaped = Float32Array.from(body.vertices, (value, at) => value + (target[at] ?? 0));
  const skin = triangles(body, (material_) => material_ === 0);
  let [low, high] = [Infinity, -Infinity];
  for (const vertex of skin.corners) {
    const y = shaped[vertex * 3 + 1] as number;
    low = Math.min(low, y);
    high = Math.max(high, y);
  }
  const unit = height / (high - low);
  const metres = shaped.map((value, at) => (at % 3 === 1 ? value - low : value) * unit);
  const sleeves = person === 'tee' || person === 'woman' ? BARE_ARMS : BARE;
  const surfaces = [
    await surface(body, metres, only(skin, body, sleeves), await material.file(wardrobe.skin)),
    ...(await Promise.all(wardrobe.worn.map((piece) => dressed(material, piece, shaped, low, unit)))),
  ];
  return { joints: jointsOf(body, metres), height, surfaces };
}

async function dressed(
  material: Material,
  piece: Piece,
  shaped: Float32Array,
  low: number,
  unit: number,
): Promise<Surface> {
  const mesh = JSON.parse((await material.file(piece.mesh)).toString('utf8')) as Mesh;
  const { ref_vIdxs: refs = [], weights = [], offsets = [] } = mesh;
  const points = new Float32Array(refs.length * 3);
  refs.forEach((ref, vertex) => {
    for (let axis = 0; axis < 3; axis += 1) {
      let sum = offsets[vertex]?.[axis] ?? 0;
      ref.forEach((at, nth) => {
        sum += (shaped[at * 3 + axis] as number) * (weights[vertex]?.[nth] ?? 0);
      });
      points[vertex * 3 + axis] = (axis === 1 ? sum - low : sum) * unit;
    }
  });
  return surface(
    mesh,
    points,
    triangles(mesh, () => true),
    await material.file(piece.texture),
    piece.mesh.includes('/hair/'),
  );
}

interface Triangles {
  readonly corners: number[];
  readonly uvs: number[];
}

/** Faces: a byte of flags (1 a quad, 2 has a material, 8 has texture places), then vertices, material, places. */
function triangles(mesh: Mesh, wanted: (material: number) => boolean): Triangles {
  const { faces } = mesh;
  const [corners, uvs]: [number[], number[]] = [[], []];
  for (let at = 0; at < faces.length; ) {
    const flags = faces[at] as number;
    const sides = flags & 1 ? 4 : 3;
    const around = faces.slice(at + 1, at + 1 + sides);
    at += 1 + sides;
    const material = flags & 2 ? (faces[at++] as number) : 0;
    const places = flags & 8 ? faces.slice(at, at + sides) : [];
    if (flags & 8) at += sides;
    if (!wanted(material)) continue;
    for (let third = 2; third < sides; third += 1) {
      for (const nth of [0, third - 1, third]) {
        corners.push(around[nth] as number);
        uvs.push(places[nth] ?? 0);
      }
    }
  }
  return { corners, uvs };
}

function only({ corners, uvs }: Triangles, mesh: Mesh, wanted: ReadonlySet<Segment>): Triangles {
  const parts = partsOf(mesh);
  const kept: { corners: number[]; uvs: number[] } = { corners: [], uvs: [] };
  for (let at = 0; at < corners.length; at += 3) {
    // The first influence is the strongest.
    if (!wanted.has(SEGMENTS[parts[(corners[at] as number) * 4] as number] as Segment)) continue;
    kept.corners.push(...corners.slice(at, at + 3));
    kept.uvs.push(...uvs.slice(at, at + 3));
  }
  return kept;
}

async function surface(
  mesh: Mesh,
  points: Float32Array,
  faces: Triangles,
  image: Buffer,
  open = false,
): Promise<Surface> {
  const { data, info } = await sharp(image)
    .resize(TEXTURE_SIZE, TEXTURE_SIZE, { fit: 'fill' })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const [uvs] = mesh.uvs;
  const places = new Float32Array(faces.uvs.length * 2);
  faces.uvs.forEach((uv, at) => {
    places[at * 2] = (uvs[uv * 2] as number) * (info.width - 1);
    places[at * 2 + 1] = (1 - (uvs[uv * 2 + 1] as number)) * (info.height - 1);
  });
  const weights = Float32Array.from(mesh.skinWeights);
  for (let at = 0; at < weights.length; at += 4) {
    const sum = weights.subarray(at, at + 4).reduce((one, other) => one + other, 0);
    if (sum > 0) for (let nth = at; nth < at + 4; nth += 1) weights[nth] = (weights[nth] as number) / sum;
    else weights[at] = 1;
  }
  return {
    points,
    parts: partsOf(mesh),
    weights,
    corners: Uint32Array.from(faces.corners),
    places,
    texture: { width: info.width, height: info.height, data },
    open,
  };
}

/** The skeleton of the package has 163 bones, down to the lips; here a body has nineteen parts. */
const PART_OF_BONE: readonly (readonly [RegExp, string])[] = [
  [/^(root|pelvis|spine05|spine04)/, 'pelvis'],
  [/^spine03/, 'waist'],
  [/^(spine02|spine01|breast)/, 'chest'],
  [/^neck/, 'neck'],
  [/^(clavicle|shoulder)/, 'shoulder'],
  [/^upperarm/, 'upperArm'],
  [/^lowerarm/, 'forearm'],
  [/^(wrist|metacarpal|finger)/, 'hand'],
  [/^upperleg/, 'thigh'],
  [/^lowerleg/, 'shin'],
  [/^(foot|toe)/, 'foot'],
];
const PAIRED = /^(clavicle|shoulder|upperarm|lowerarm|wrist|metacarpal|finger|upperleg|lowerleg|foot|toe)/;

function partsOf(mesh: Mesh): Uint8Array {
  const numbers = mesh.bones.map(({ name }) => {
    const bone = name.replace(/____head$/, '');
    const part = PART_OF_BONE.find(([form]) => form.test(bone))?.[1] ?? 'head';
    const segment = PAIRED.test(bone) ? `${part}.${bone.slice(-1)}` : part;
    return SEGMENTS.indexOf(segment as Segment);
  });
  return Uint8Array.from(mesh.skinIndices, (bone) => numbers[bone] as number);
}

function jointsOf(body: Mesh, points: Float32Array): Joints {
  const at = (name: string): Vec => {
    const vertices = body.metadata.joint_pos_idxs?.[name] ?? [];
    const sum = [0, 0, 0] as [number, number, number];
    for (const vertex of vertices)
      for (const axis of [0, 1, 2] as const) sum[axis] += points[vertex * 3 + axis] as number;
    return scale(sum, 1 / vertices.length);
  };
  const both = (bone: string, end = 'head'): Record<Side, Vec> => ({
    L: at(`${bone}.L____${end}`),
    R: at(`${bone}.R____${end}`),
  });
  const hip = both('upperleg01');
  return {
    hips: mix(hip.L, hip.R, 0.5),
    waist: at('spine03____head'),
    chest: at('spine02____head'),
    neck: at('neck01____head'),
    head: at('head____head'),
    clavicle: both('clavicle'),
    shoulder: both('upperarm01'),
    elbow: both('lowerarm01'),
    wrist: both('wrist'),
    hip,
    knee: both('lowerleg01'),
    ankle: both('foot'),
  };
}

/** From hip to ankle, metres. */
export const legLength = ({ joints }: Figure): number => {
  const { hip, ankle } = joints;
  return Math.hypot(...sub(hip.L, ankle.L));
};
