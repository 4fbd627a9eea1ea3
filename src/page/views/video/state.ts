import type { Camera } from '../../api/types.ts';
import { cameraReason } from '../../words/reason.ts';
import { t, wordOf } from '../../words/words.ts';

/** How a camera is, in words; the gravest first. */
export interface CameraState {
  readonly kind: 'good' | 'warn' | 'bad' | 'unknown';
  readonly text: string;
}

/** Analysed less than this part of what is wanted: worth a word. */
const SLOW = 0.6;

/** @param vision whether the vision process answers */
export function stateOf({ online, reason, troubles, fps, wanted, pictureAt }: Camera, vision: boolean): CameraState {
  if (!vision) return { kind: 'bad', text: t('video.stateNoVision') };
  if (reason !== null && pictureAt === null) {
    return reason === 'starting'
      ? { kind: 'unknown', text: t('video.stateStarting') }
      : { kind: 'bad', text: cameraReason(reason) };
  }
  if (online === false) return { kind: 'bad', text: t('video.stateOffline') };
  if (troubles.length > 0) {
    return { kind: 'warn', text: troubles.map((one) => wordOf('video.trouble', one)).join(' · ') };
  }
  if (pictureAt === null) return { kind: 'unknown', text: t('video.stateNoPicture') };
  if (fps !== null && fps < wanted * SLOW) return { kind: 'warn', text: t('video.stateSlow', { fps, wanted }) };
  return { kind: 'good', text: fps === null ? t('video.stateGood') : t('video.stateFps', { fps }) };
}
