import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { CameraConfig } from '../../config/schema.ts';
import { SystemClock, type WallMs, wallMs } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { createLog } from '../../kernel/log.ts';
import type { FaceEvent, HealthEvent, IntrusionEvent } from '../../vision/event.ts';
import { loadSettings, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';

interface ReplayOptions extends Place {
  readonly camera?: string;
  readonly begins?: WallMs;
  readonly pictures?: string;
  readonly json?: true;
}

const SAID = {
  climb: '有人攀爬 somebody climbs',
  cross: '翻越 somebody is over',
  line: '越线 line crossed',
  area: '进入区域 somebody came in',
  loiter: '徘徊 somebody stays',
} as const satisfies Record<IntrusionEvent['type'], string>;

const FACES = {
  known: '认出 known',
  stranger: '陌生人 stranger',
  blocked: '布控人员 on the block list',
} as const satisfies Record<FaceEvent['result'], string>;

const further = (event: HealthEvent | FaceEvent): string =>
  event.type === 'face'
    ? `${FACES[event.result]}  ${event.person ?? ''}  ${event.similarity.toFixed(2)}`
    : `画面 picture  ${event.condition}  ${event.active ? '开始 begins' : '结束 is over'}`;

export function addReplay(program: Command): void {
  withPlace(program.command('replay'))
    .description(
      '回放录像 footage through all that a camera goes through, as fast as it can be; prints what would be told',
    )
    .argument('<video>', '录像文件 video file')
    .option('--camera <id>', '按哪台摄像机的设置 the camera whose settings are used; its url is not')
    .option(
      '--begins <time>',
      '录像起始时间（用于布防时段） when it begins, ISO 8601, for schedules (default: now)',
      moment,
    )
    .option('--pictures <dir>', '每个事件存一张图 keep a picture of each event with boxes and fences')
    .option('--json', '每个事件一行 JSON, one JSON object an event; at the end {frames, seconds, cpu}')
    .action(async (video: string, options: ReplayOptions) => {
      const { config } = loadSettings(options);
      const camera = choose(config.cameras, options.camera);
      const { pictures } = options;
      if (pictures !== undefined) mkdirSync(pictures, { recursive: true });
      const terminal = new Terminal();
      const clock = new SystemClock();
      const [{ replay }, { BUILT_IN_MODELS, loadModels }, { ModelStore, modelsDirectory }] = await Promise.all([
        import('../../vision/trial/replay.ts'),
        import('../../vision/models/catalogue.ts'),
        import('../../vision/models/store.ts'),
      ]);
      const done = await replay({
        video: resolve(video),
        camera,
        timezone: config.site.timezone,
        catalogue: loadModels([BUILT_IN_MODELS, ...config.vision.models]),
        store: new ModelStore(modelsDirectory()),
        begins: options.begins ?? clock.wall(),
        clock,
        log: createLog('replay', process.env['QUANWEI_LOG'] ?? 'error'),
        also: async (event, frame) => {
          const t = Math.round(frame.t * 1_000) / 1_000;
          if (options.json === true) await terminal.json({ t, ...event });
          else await terminal.line(`${timeOf(t)}  ${further(event)}`);
        },
        faces: async () => {
          const { openGallery } = await import('../replayed-gallery.ts');
          return openGallery(config, { own: options.data !== undefined, clock });
        },
        event: async (event, { frame, people }) => {
          const t = Math.round(frame.t * 1_000) / 1_000;
          if (options.json === true) await terminal.json({ t, ...event });
          else await terminal.line(`${timeOf(t)}  ${SAID[event.type]}  ${event.zone}  #${event.track}${wayOf(event)}`);
          if (pictures === undefined) return;
          const { still } = await import('../../vision/analysis/still.ts');
          const name = `${t.toFixed(2).padStart(7, '0')}-${event.type}-${event.zone}-${event.track}.jpg`;
          await writeFile(join(pictures, name), await still(frame.picture, { camera, people, about: event.track }));
        },
      });
      const cpu = Math.round(done.cpu * 100) / 100;
      if (options.json === true) await terminal.json({ ...done, cpu });
      else {
        await terminal.line(
          `${done.frames} 帧，${done.seconds.toFixed(1)} 秒；检测 ${done.detected} 次，CPU ${cpu} 秒`,
        );
        await terminal.line(
          `${done.frames} frames, ${done.seconds.toFixed(1)} s; people were looked for in ${done.detected}; ${cpu} s of CPU`,
        );
      }
    });
}

function choose(cameras: readonly CameraConfig[], id: string | undefined): CameraConfig {
  const known = `cameras: ${cameras.map((camera) => camera.id).join(', ') || 'none'}`;
  const [only] = cameras;
  if (id === undefined && only !== undefined && cameras.length === 1) return only;
  if (id === undefined) throw new QuanweiError('BAD_USE', 'which camera?', { hint: `--camera ID; ${known}` });
  const found = cameras.find((camera) => camera.id === id);
  if (found === undefined) throw new QuanweiError('NOT_FOUND', `there is no camera '${id}'`, { hint: known });
  return found;
}

function moment(text: string): WallMs {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError('such as 2026-06-01T22:00:00+08:00');
  return wallMs(at);
}

const timeOf = (t: number): string =>
  `${String(Math.floor(t / 60)).padStart(2, '0')}:${(t % 60).toFixed(1).padStart(4, '0')}`;

const wayOf = (event: IntrusionEvent): string => ('direction' in event ? `  ${event.direction}` : '');
