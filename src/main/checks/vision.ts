import { execFile } from 'node:child_process';
import { VisionLink } from '../../api/vision-link.ts';
import type { CameraConfig, GatewayConfig } from '../../config/schema.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { findVisionSecret, visionToken } from '../vision-secret.ts';
import type { Finding } from './finding.ts';
import type { GatewayState } from './ports.ts';

/** ms for a program to tell its version. */
const PATIENCE_MS = 5_000;

/**
 * What cameras depend on: ffmpeg, the models they ask for, and the vision process with its cameras. Nothing without
 * cameras; of a vision process on another box only whether it answers.
 */
export async function checkVision(config: GatewayConfig, state: GatewayState): Promise<Finding[]> {
  if (config.cameras.length === 0) return [];
  const here = config.vision.broker === undefined ? [await checkFfmpeg(), await checkModels(config)] : [];
  return [...here, ...(await checkProcess(config, state))];
}

async function checkFfmpeg(): Promise<Finding> {
  const name = 'vision.ffmpeg';
  try {
    const [version] = await Promise.all([versionOf('ffmpeg'), versionOf('ffprobe')]);
    return {
      name,
      verdict: 'good',
      text: { zh: `ffmpeg ${version}`, en: `ffmpeg and ffprobe are there: ${version}` },
      figures: { version },
    };
  } catch (thrown) {
    return {
      name,
      verdict: 'bad',
      text: { zh: '没有 ffmpeg：摄像机没有画面', en: `No camera can be watched: ${messageOf(thrown)}` },
      advice: { zh: '安装：apt-get install ffmpeg', en: 'install it: apt-get install ffmpeg' },
    };
  }
}

function versionOf(program: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, ['-version'], { timeout: PATIENCE_MS }, (thrown, said) => {
      if (thrown === null) resolve(/version (\S{1,60})/.exec(said)?.[1] ?? '?');
      else reject(thrown.code === 'ENOENT' ? new Error(`${program} is not installed`) : thrown);
    });
  });
}

async function checkModels({ cameras, vision }: GatewayConfig): Promise<Finding> {
  // Loaded only where there are cameras.
  const { asksForFaces, findModels, peopleModels } = await import('../../vision/needed-models.ts');
  const { BUILT_IN_MODELS, loadModels } = await import('../../vision/models/catalogue.ts');
  const { ModelStore, modelsDirectory } = await import('../../vision/models/store.ts');
  const directory = modelsDirectory();
  const ids: string[] = [];
  const missing: string[] = [];
  try {
    const wanted = peopleModels(cameras);
    const found = await findModels(wanted, loadModels([BUILT_IN_MODELS, ...vision.models]), new ModelStore(directory));
    ids.push(...found.files.map(({ id }) => id));
    missing.push(...found.missing);
    if (asksForFaces(cameras, vision.doorPictures)) {
      const { faceModels } = await import('../../vision/faces/start.ts');
      ids.push(...Object.values(await faceModels(vision.models)).map(({ id }) => id));
    }
  } catch (thrown) {
    missing.push(thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown));
  }
  const figures = { directory, models: ids.join(' '), missing: missing.length };
  return missing.length === 0
    ? {
        name: 'vision.models',
        verdict: 'good',
        text: {
          zh: `模型齐全完好：${ids.length} 个`,
          en: ids.length === 0 ? 'The cameras ask for no models' : `Models are there and whole: ${ids.join(', ')}`,
        },
        figures,
      }
    : {
        name: 'vision.models',
        verdict: 'bad',
        text: { zh: `模型不能用：${missing.length} 个`, en: `Models cannot be used: ${missing.join('; ')}` },
        figures,
        advice: {
          zh: '运行 quanwei models fetch，再用 quanwei models check 核对',
          en: 'run quanwei models fetch, and look again with quanwei models check',
        },
      };
}

async function checkProcess(config: GatewayConfig, state: GatewayState): Promise<Finding[]> {
  const { cameras, vision } = config;
  const name = 'vision.process';
  const url = vision.listen;
  let secret: string;
  try {
    secret = findVisionSecret(config);
  } catch (thrown) {
    return [
      {
        name,
        verdict: 'doubtful',
        text: { zh: '视觉进程还没有密码', en: `The vision process has no secret yet: ${messageOf(thrown)}` },
        figures: { url, answers: false },
        advice: { zh: '重启网关，它会生成密码', en: 'restart the gateway: it makes one' },
      },
    ];
  }
  const seen = await new VisionLink({ url, token: visionToken(secret) }).state();
  if (seen === null) {
    return [
      {
        name,
        // While the gateway stands still its own finding says what to start.
        verdict: state === 'stopped' ? 'doubtful' : 'bad',
        text: { zh: `视觉进程没有应答：${url}`, en: `The vision process does not answer at ${url}` },
        figures: { url, answers: false },
        advice: {
          zh: '看 systemctl status quanwei-vision 和 journalctl -u quanwei-vision',
          en: 'see systemctl status quanwei-vision and journalctl -u quanwei-vision',
        },
      },
    ];
  }
  const blind = cameras.flatMap((camera) => blindness(camera, seen.cameras.get(camera.id)));
  return [
    {
      name,
      verdict: 'good',
      text: { zh: `视觉进程运行正常：${url}`, en: `The vision process answers at ${url}` },
      figures: { url, answers: true },
    },
    {
      name: 'vision.cameras',
      verdict: blind.length === 0 ? 'good' : 'doubtful',
      text:
        blind.length === 0
          ? { zh: `摄像机都有画面：${cameras.length} 台`, en: `Every camera gives pictures: ${cameras.length}` }
          : {
              zh: `没有画面的摄像机：${blind.length} 台，共 ${cameras.length} 台`,
              en: `Cameras without a picture: ${blind.join('; ')}`,
            },
      figures: { cameras: cameras.length, without: blind.length },
      ...(blind.length === 0
        ? {}
        : {
            advice: {
              zh: '检查电源、网络、地址和密码；改过配置的话，重启 quanwei-vision',
              en: 'check power, network, address and password; if the configuration was changed, restart quanwei-vision',
            },
          }),
    },
  ];
}

function blindness(
  { id }: CameraConfig,
  seen: { readonly state: string; readonly reason: string | null } | undefined,
): string[] {
  if (seen === undefined) return [`${id} is not known to the vision process`];
  return seen.state === 'offline' ? [`${id}: ${seen.reason ?? 'offline'}`] : [];
}
