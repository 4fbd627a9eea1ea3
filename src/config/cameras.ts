import { z } from 'zod';
import { address, Duration, duration, Id, size, Text, timeOfDay } from './values.ts';

/**
 * Cameras and what is looked for in their pictures. Points are [x, y] in 0–1 of the picture, from its upper left corner,
 * so that they stay right when the stream's size changes.
 */

const Fraction = z.number().min(0).max(1);
const At = z.tuple([Fraction, Fraction]);
const Polyline = z.array(At).min(2).max(32);
const Polygon = z.array(At).min(3).max(32);
const Times = z
  .array(z.tuple([timeOfDay, timeOfDay]))
  .max(8)
  .default([])
  .describe('Times of day in the site’s zone; may pass midnight. Empty: always');
const Direction = z.enum(['both', 'in', 'out']).default('both');

/** Things drawn on a picture; one that was given no id is called by its place in the list. */
const drawn = <T extends { id?: string | undefined }>(what: string, one: z.ZodType<T, unknown>) =>
  z
    .array(one)
    .max(16)
    .default([])
    .transform((all) => all.map((each, i) => ({ ...each, id: each.id ?? `${what}-${i + 1}` })));

const Fence = z.strictObject({
  id: Id.optional(),
  name: Text.optional(),
  top: Polyline.describe('The upper edge, from left to right'),
  base: Polyline.describe('Where it stands on the ground, from left to right'),
  direction: Direction.describe('in: from outside to inside only; needs `inside`'),
  inside: z
    .enum(['near', 'far'])
    .optional()
    .describe('near: the side the camera stands on is inside; far: the other side is'),
  times: Times,
});

const Line = z.strictObject({
  id: Id.optional(),
  name: Text.optional(),
  points: Polyline,
  direction: Direction.describe('in: from the left of the line to its right, seen along its points'),
  times: Times,
});

const Zone = z.strictObject({
  id: Id.optional(),
  name: Text.optional(),
  points: Polygon,
  loiter: Duration.optional().describe('Raised when somebody stays this long; without it, when somebody comes in'),
  times: Times,
});

const Faces = z.strictObject({
  threshold: z.number().min(0.3).max(0.9).default(0.5).describe('Least cosine to be the same person'),
  margin: z.number().min(0).max(0.5).default(0.05).describe('Least distance to the second best person'),
  minHeight: z.int().min(32).max(500).default(64).describe('Least height of a face, pixels of the stream'),
  liveness: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Least liveness; an option without guarantee. Without it, it is not looked at'),
  strangers: z.boolean().default(false).describe('Whether an unknown face is told'),
  opens: Id.optional().describe('Door that a match opens, by the gateway’s own rules. Default: none'),
});

/** `true`: with what is usual. */
const asUsual = z.literal(true).transform(() => ({}));
/** A door is opened by what stands in the file, and by no click on a page. */
const SeenFaces = Faces.omit({ opens: true });

export const Camera = z.strictObject({
  id: Id,
  name: Text.optional(),
  place: z.string().max(200).default(''),
  url: address(/^((rtsps?|onvif|file):\/)?\/\S+$/, 'rtsp://…, onvif://USER:PASSWORD@HOST, or the path of a video')
    .max(500)
    .describe('The main stream, for pictures and clips; onvif:// asks the camera for both streams'),
  subUrl: address(/^((rtsps?|file):\/)?\/\S+$/, 'rtsp://…, or the path of a video')
    .max(500)
    .optional()
    .describe('The smaller stream, which is analysed; default: the main one'),
  transport: z.enum(['tcp', 'udp']).default('tcp'),
  fps: z.number().min(1).max(15).default(5).describe('Frames a second that are analysed'),
  width: z.int().min(160).max(1920).default(640).describe('Largest width of the analysed picture; never enlarged'),
  detector: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]*(@\d{2,4}x\d{2,4})?$/, 'a model in models/, or ID@WIDTHxHEIGHT')
    .default('nanodet')
    .describe('nanodet@640x384 for far views, centernet for people nearer than half the picture'),
  sensitivity: z
    .enum(['low', 'normal', 'high'])
    .default('normal')
    .describe('high: posture is not asked for (dark or far scenes; set times and masks with it)'),
  minHeight: Fraction.default(0.06).describe('People smaller than this part of the picture’s height are not looked at'),
  threshold: z.number().min(0.1).max(0.9).optional().describe('Least score of a person; default: the model’s own'),
  nightThreshold: z.number().min(0.1).max(0.9).optional().describe('The same when the picture is dark or colourless'),
  masks: z.array(Polygon).max(16).default([]).describe('Areas that are not looked at: a road, a tree'),
  fences: drawn('fence', Fence),
  lines: drawn('line', Line),
  zones: drawn('zone', Zone),
  faces: z.union([z.literal(false), asUsual.pipe(Faces), Faces]).default(false),
  record: z.boolean().default(true).describe('Whether clips are kept of what is raised'),
});

/**
 * What may be changed from the page: how a picture is looked at. Addresses and passwords, models and doors stand in the
 * file alone.
 */
export const CameraSettings = Camera.pick({
  fps: true,
  sensitivity: true,
  minHeight: true,
  threshold: true,
  nightThreshold: true,
  masks: true,
  fences: true,
  lines: true,
  zones: true,
  record: true,
}).extend({ faces: z.union([z.literal(false), asUsual.pipe(SeenFaces), SeenFaces]).default(false) });
export type CameraSettings = z.output<typeof CameraSettings>;
/** As a person or the file writes them. */
export type WrittenSettings = z.input<typeof CameraSettings>;

/** The vision process: one more device of the gateway, on this box or another one. */
export const Vision = z.strictObject({
  id: Id.default('vision-1').describe('Its device id'),
  broker: address(/^mqtts?:\/\/\S+$/, 'mqtt://HOST:PORT or mqtts://HOST:PORT')
    .optional()
    .describe('On another box: the gateway’s address. Default: this box’s first listener'),
  secret: z
    .string()
    .min(8)
    .max(200)
    .optional()
    .describe('Its MQTT password. Default: made by itself and kept in the data directory'),
  ca: z.string().optional().describe('PEM file of the CA that signed the gateway’s certificate'),
  listen: z
    .string()
    .regex(/^http:\/\/(\[[0-9a-fA-F:]+\]|[^:/\s]+):\d{1,5}$/, 'http://HOST:PORT')
    .default('http://127.0.0.1:8090')
    .describe('Where the gateway fetches live pictures and evidence from it'),
  data: z
    .string()
    .optional()
    .describe(
      'Its own directory, of evidence and faces. Default: the gateway’s, which a service of its own cannot read',
    ),
  models: z.array(z.string()).max(8).default([]).describe('Further directories with model entries'),
  media: size('20GB').describe('Most that pictures and clips may take; the oldest go first'),
  clip: z.strictObject({ before: duration('5s'), after: duration('10s') }).prefault({}),
  faceKey: z.string().optional().describe('File with the key of the face templates. Default: DATA/keys/faces.key'),
  doorPictures: z
    .boolean()
    .default(false)
    .describe('Whether pictures that face doors send are compared here as well; they are never stored'),
});

/** Whether there is a vision process at all: for cameras, or for the pictures of face doors. */
export const wantsVision = ({
  cameras,
  vision,
}: {
  readonly cameras: readonly unknown[];
  readonly vision: { readonly doorPictures: boolean };
}): boolean => cameras.length > 0 || vision.doorPictures;
