import { Board } from '../alarms/board.ts';
import { Escalation } from '../alarms/escalation.ts';
import { forgetAlarms } from '../alarms/forget.ts';
import { Accounts } from '../api/accounts.ts';
import { CameraSettings } from '../api/camera-settings.ts';
import { FirstRun } from '../api/first-run.ts';
import { createServer } from '../api/server.ts';
import { Settings } from '../api/settings.ts';
import { SettingsPush } from '../api/settings-push.ts';
import { VisionLink } from '../api/vision-link.ts';
import { Broker } from '../broker/broker.ts';
import { openAuthority } from '../broker/ca.ts';
import { wantsVision } from '../config/cameras.ts';
import type { Locate } from '../config/load.ts';
import type { GatewayConfig } from '../config/schema.ts';
import { BUILT_IN_PROFILES, loadCatalogue } from '../devices/catalogue.ts';
import { Registry } from '../devices/registry.ts';
import { Supervision } from '../devices/supervision.ts';
import { Doors } from '../doors/commands.ts';
import { FaceOpening } from '../doors/face-opening.ts';
import { Linkage } from '../doors/linkage.ts';
import { DoorPictures } from '../intake/door-pictures.ts';
import { Intake } from '../intake/intake.ts';
import { DiskWatch } from '../journal/disk-watch.ts';
import type { Lane } from '../journal/entry.ts';
import { Journal } from '../journal/journal.ts';
import { Retention } from '../journal/retention.ts';
import { recordRestore, runStagedRestore } from '../journal/staged-restore.ts';
import type { Clock } from '../kernel/clock.ts';
import { idSource } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { Bridge } from '../upstream/bridge.ts';
import { centreOrders } from './orders.ts';
import { VERSION } from './version.ts';
import { visionDevices } from './vision-devices.ts';
import { ensureVisionSecret, visionToken } from './vision-secret.ts';
import { Watch } from './watch.ts';

/** The oldest alarm the centre has not confirmed may wait this long before that is an alarm of its own. */
const BACKLOG_LIMIT_MS = 10 * 60_000;
const DAY_MS = 86_400_000;
/** How long the answer to whoever asked for a restart has to get out, ms. */
const ANSWER_MS = 300;

export interface GatewayOptions {
  /** Paths absolute, defaults filled: what `loadConfig` gives. What people set on the page comes over it. */
  readonly config: GatewayConfig;
  /** Where in its file a part of the configuration stands, when it comes from one. */
  readonly locate?: Locate;
  readonly clock: Clock;
  readonly log: Log;
  /** Password of the first administrator when there is none yet; made up when absent. */
  readonly firstPassword?: string;
  /** Asks the program to end, where something starts it again. */
  readonly restart?: () => void;
  /** Makes the support bundle, where there is a program to ask for it. */
  readonly support?: () => Promise<Buffer>;
  /** Keeps whoever starts the program from giving up on it while a work goes on that may take long. */
  readonly patientFor?: <T>(what: string, work: Promise<T>) => Promise<T>;
}

export interface Gateway {
  readonly mqtt: readonly string[];
  readonly http: string;
  /** The administrator made on the first start, told once; `null` ever after. */
  readonly firstLogin: { readonly name: string; readonly password: string } | null;
  healthy(): boolean;
  /** Stops in reverse order of starting; what was acknowledged is on disk. */
  close(): Promise<void>;
}

/** Puts the rooms together along the data's path (design §4). */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config: file, locate, clock, log, firstPassword } = options;
  const closers: (() => void | Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const newId = idSource(clock);
    const catalogue = loadCatalogue([BUILT_IN_PROFILES, ...file.profiles]);
    const restoring = runStagedRestore(file.data, clock);
    const restored = await (options.patientFor?.('恢复备份 restoring a backup', restoring) ?? restoring);
    const journal = await Journal.open({ dir: file.data, clock, log, newId });
    closers.push(() => journal.close());
    // First of all: whatever fails before or after it, the journal says who put it here.
    if (restored !== null) await recordRestore(journal, restored);
    const settings = Settings.load({ journal, clock, log, file });
    const { config } = settings;
    const secret = wantsVision(config) ? ensureVisionSecret(config) : null;
    const devices = [...config.devices, ...(secret === null ? [] : visionDevices(config, secret))];
    const vision =
      secret === null
        ? null
        : {
            link: new VisionLink({ url: config.vision.listen, token: visionToken(secret) }),
            data: config.vision.data ?? config.data,
          };
    const cameras = CameraSettings.load({ journal, cameras: config.cameras, clock, log });
    const push =
      vision === null
        ? null
        : new SettingsPush({ settings: cameras, link: vision.link, clock, log, random: Math.random });
    closers.push(() => push?.stop());
    const registry = await Registry.load({ journal, catalogue, config: { devices, locate }, clock, log });
    closers.push(() => registry.close());
    const board = await Board.load({
      journal,
      config: config.alarms,
      timezone: config.site.timezone,
      clock,
      log,
      newId,
      lifeSafety: (id) => registry.lifeSafety(id),
    });
    settings.onChange((key) => {
      if (key === 'rules' || key === 'quiet') board.configure();
    });
    const escalation = new Escalation({ board, clock, log });

    const links: { broker: Broker | null; doors: Doors | null } = { broker: null, doors: null };
    const pictures =
      vision === null || !config.vision.doorPictures ? null : new DoorPictures({ taker: vision.link, log });
    const parts = { journal, board, catalogue, registry, timezone: config.site.timezone, pictures, clock, log, newId };
    const intake = new Intake(
      parts,
      () => links.broker,
      () => links.doors,
    );
    const authority = await openAuthority(config.data, clock);
    const broker = await Broker.start({
      config: config.mqtt,
      intake,
      registry,
      catalogue,
      journal,
      log,
      clock,
      ca: authority,
      // A connection is a sign of life and tells where the device is. Its end is none of silence: buttons that speak
      // and hang up are as well as ever, and supervision knows how long each may be quiet.
      presence: ({ device, connected, address }) => {
        if (!connected) return;
        if (device === config.vision.id) push?.now();
        journal
          .append(registry.cameIn(device, clock.wall(), address))
          .catch((thrown: unknown) => log.warn({ err: thrown, device }, 'a connection could not be recorded'));
      },
    });
    links.broker = broker;
    closers.push(() => broker.close());
    const doors = new Doors({
      journal,
      registry,
      catalogue,
      link: broker,
      timezone: config.site.timezone,
      clock,
      log,
      newId,
    });
    links.doors = doors;
    const linkage = new Linkage({ journal, doors, config: config.alarms, clock, log, locate });
    closers.push(() => linkage.stop());
    const faceOpening = new FaceOpening({ journal, doors, cameras: config.cameras, clock, log });
    closers.push(() => faceOpening.stop());
    const supervision = new Supervision({
      board,
      registry,
      catalogue,
      journal,
      link: broker,
      timezone: config.site.timezone,
      clock,
      log,
    });
    closers.push(() => supervision.stop());

    const bridge =
      config.upstream === undefined
        ? null
        : new Bridge({
            journal,
            config: config.upstream,
            site: config.site,
            clock,
            log,
            random: Math.random,
            orders: centreOrders({ board, doors, registry, journal, clock, vision }),
            about: (id) => registry.get(id),
          });
    if (bridge !== null) closers.push(() => bridge.stop());
    const accounts = await Accounts.load({ journal, clock });
    const firstLogin = await accounts.bootstrap(firstPassword);
    const firstRun = new FirstRun({ journal, clock });
    // A password given beforehand is that of an installation nobody sits in front of: nobody needs a guide.
    if (firstLogin !== null && firstPassword === undefined) await firstRun.set('due', 'system');
    // What the centre has not confirmed is not let go of. Without a centre nothing waits for one.
    const protect = (seq: number, lane: Lane | null) =>
      bridge !== null && lane !== null && seq > journal.cursor(`upstream.${lane}`);
    const keeping = { journal, config: config.retention, clock, log, protect };
    const retention = new Retention(keeping);
    closers.push(() => retention.stop());
    const forgetting = clock.every(DAY_MS, () => {
      forgetAlarms(journal, clock.wall() - config.retention.alarms).catch((thrown: unknown) =>
        log.warn({ err: thrown }, 'old alarms could not be let go of'),
      );
    });
    closers.push(() => forgetting.cancel());
    const diskWatch = new DiskWatch(keeping);
    closers.push(() => diskWatch.stop());
    const watch = new Watch({
      journal,
      board,
      clock,
      log,
      minFree: config.retention.minFree,
      backlogAge: () => bridge?.state().oldestAlarmMs ?? 0,
      backlogLimit: BACKLOG_LIMIT_MS,
    });
    closers.push(() => watch.stop());
    const server = await createServer({
      journal,
      board,
      registry,
      catalogue,
      doors,
      bridge,
      broker,
      accounts,
      cameras,
      vision,
      config,
      settings,
      firstRun,
      restart: restartBy(options),
      support: options.support ?? null,
      log,
      clock,
      version: VERSION,
      ca: authority,
      counts: () => ({ ...intake.counts, ...pictures?.counts }),
    });
    closers.push(() => server.close());

    await journal.append([
      { kind: 'system.started', actor: 'system', subject: null, body: { version: VERSION, boot: clock.boot } },
    ]);
    closers.push(async () => {
      if (journal.state().ok) {
        await journal.append([{ kind: 'system.stopped', actor: 'system', subject: null, body: { version: VERSION } }]);
      }
    });
    escalation.start();
    closers.push(() => escalation.stop());
    linkage.start();
    faceOpening.start();
    supervision.start();
    watch.start();
    retention.start();
    diskWatch.start();
    bridge?.start();
    push?.now();
    return {
      mqtt: broker.addresses.map(({ url }) => url),
      http: server.address,
      firstLogin,
      healthy: () => journal.state().ok,
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Answers first: the program ends a moment after it was asked to. */
function restartBy({ restart, clock }: GatewayOptions): ((actor: string) => Promise<void>) | null {
  if (restart === undefined) return null;
  return async () => void clock.after(ANSWER_MS, restart);
}
