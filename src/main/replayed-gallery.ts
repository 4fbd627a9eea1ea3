import type { GatewayConfig } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { createLog } from '../kernel/log.ts';
import { RosterWatch } from '../vision/faces/roster-watch.ts';
import { faceModels, startFaces } from '../vision/faces/start.ts';
import type { ReplayedGallery } from '../vision/trial/replayed-faces.ts';

/**
 * Who is enrolled on this box, for footage; where nobody is, everybody is a stranger.
 * @param own whether `data` was named on the command line: then it goes before `vision.data`
 * @throws QuanweiError BAD_MODEL a model of faces is not there
 */
export async function openGallery(
  { data, vision }: GatewayConfig,
  { own, clock }: { readonly own: boolean; readonly clock: Clock },
): Promise<ReplayedGallery> {
  const log = createLog('replay', process.env['QUANWEI_LOG'] ?? 'error');
  const { reader, close } = await startFaces(await faceModels(vision.models), { clock, log, random: Math.random });
  const access = { data: own ? data : (vision.data ?? data), keyFile: vision.faceKey, clock };
  const watch = new RosterWatch(access, reader.model, log);
  return {
    reader,
    roster: () => watch.roster,
    close: async () => {
      watch.close();
      await close();
    },
  };
}
