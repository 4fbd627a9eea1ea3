import type { Command } from 'commander';
import { wantsVision } from '../../config/cameras.ts';
import type { GatewayConfig } from '../../config/schema.ts';
import { SystemClock } from '../../kernel/clock.ts';
import { createLog } from '../../kernel/log.ts';
import { comeLast } from '../../kernel/priority.ts';
import { ServiceManager } from '../notify.ts';
import { loadSettings, type Place, withPlace } from '../settings.ts';
import { stopSignal } from '../stop-signal.ts';

export function addVision(program: Command): void {
  withPlace(program.command('vision'))
    .description('运行视觉进程 watch the cameras as a service; another process than the gateway, which it logs in to')
    .action(async (place: Place) => {
      const stopped = stopSignal();
      // Its unit weighs it (CPUWeight); everywhere else this does.
      comeLast();
      const settings = loadSettings(place);
      const log = createLog('vision');
      const clock = new SystemClock();
      const manager = new ServiceManager({ clock, log });
      if (!wantsVision(settings.config)) {
        log.info(
          { file: settings.file },
          'neither cameras nor pictures of doors are configured: there is nothing to watch',
        );
        // A service that ends before it was ready has failed: systemd would start it for ever, and the installer stop.
        await manager.ready('no cameras');
        return;
      }
      const { startVision } = await import('../vision.ts');
      const starting = startVision({
        config: settings.config,
        data: visionData(place, settings.config),
        reload: () => loadSettings(place).config,
        clock,
        log,
      });
      // A start may wait for what never comes; being asked to end does not wait for the start.
      const vision = await Promise.race([starting, stopped]);
      if (typeof vision === 'string') {
        log.info({ signal: vision }, 'the vision process stops before it had started');
        process.exit(0);
      }
      log.info({ cameras: settings.config.cameras.length, serves: vision.address }, 'the vision process is ready');
      await manager.ready(`${settings.config.cameras.length} cameras`);
      // That this runs at all says that its event loop does; its children have watches of their own.
      manager.watch(() => true);
      const signal = await stopped;
      log.info({ signal }, 'the vision process stops');
      await manager.stopping();
      await vision.close();
    });
}

/** Of evidence and faces: what `--data` says, else `vision.data`, else the gateway's. */
const visionData = (place: Place, { vision, data }: GatewayConfig): string =>
  place.data === undefined ? (vision.data ?? data) : data;
