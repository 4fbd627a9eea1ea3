import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CameraConfig, VisionConfig } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { WatchedCamera } from './camera.ts';
import type { CameraHooks, OpenedCamera } from './camera-parts.ts';
import { type Engines, startEngines } from './engines.ts';
import { Evidence } from './evidence/evidence.ts';
import { MediaStore, type MediaStoreOptions } from './evidence/media-store.ts';
import { DoorFaces } from './faces/door-faces.ts';
import { PictureHealth } from './health/picture-health.ts';
import { KeptSettings } from './kept-settings.ts';
import type { ModelCatalogue } from './models/catalogue.ts';
import type { ModelStore } from './models/store.ts';
import { asksForFaces, peopleModels } from './needed-models.ts';
import { Overload, type Work } from './overload.ts';
import { Conditions } from './report/conditions.ts';
import type { BrokerAddress } from './report/connection.ts';
import type { Command, Reply } from './report/message.ts';
import { Outbox } from './report/outbox.ts';
import { Reporter } from './report/reporter.ts';
import { type CameraView, type DoorPicture, type Served, serve } from './serve/server.ts';
import { type OpenTrials, openTrials } from './trial/open.ts';

/** Events that wait for the gateway at most. */
const WAITING = 2_000;

export interface VisionSettings {
  readonly cameras: readonly CameraConfig[];
  readonly vision: VisionConfig;
  /** IANA zone of the site */
  readonly timezone: string;
}

export interface VisionParts {
  readonly settings: VisionSettings;
  /** Reads the configuration again. @throws QuanweiError BAD_CONFIG */
  reload(): VisionSettings;
  readonly broker: BrokerAddress;
  readonly token: string;
  /** Directory of evidence, faces and of what waits to be told. */
  readonly data: string;
  readonly version: string;
  readonly catalogue: ModelCatalogue;
  readonly store: ModelStore;
  /** Puts a camera's parts together. */
  open(
    camera: CameraConfig,
    hooks: CameraHooks,
    engines: Engines,
    evidence: Evidence,
    settings: VisionSettings,
  ): OpenedCamera;
  readonly media: Omit<MediaStoreOptions, 'data' | 'clock' | 'log' | 'trouble'>;
  /** Whether evidence is there. */
  hasEvidence(ref: string): boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
  readonly random: () => number;
}

/** Cameras, models, and the gateway on the other side: the whole vision program. */
export class Vision {
  readonly #parts: VisionParts;
  readonly #cameras = new Map<string, WatchedCamera>();
  /** Cameras whose parts could not be put together, and why. */
  readonly #broken = new Map<string, string>();
  /** What each camera is used to see, and of which address. */
  readonly #pictures = new Map<string, { readonly of: string; readonly health: PictureHealth }>();
  readonly #reporter: Reporter;
  readonly #doors: DoorFaces;
  readonly #conditions: Conditions;
  readonly #kept: KeptSettings;
  /** The file's, and what is in use: with the page's over them. */
  #file: VisionSettings;
  #settings: VisionSettings;
  /** Version of the page's settings that are in use. */
  #version: string | null = null;
  #engines: Engines | null = null;
  /** The models of `engines`. */
  #running: Needed = { people: [], faces: false };
  #served: Served | null = null;
  #store: MediaStore | null = null;
  #evidence: Evidence | null = null;
  #overload: Overload | null = null;
  #trials: OpenTrials | null = null;
  /** The start, and then one reload after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #closing = false;

  private constructor(parts: VisionParts, reporter: Reporter, conditions: Conditions, kept: KeptSettings) {
    this.#parts = parts;
    this.#reporter = reporter;
    this.#conditions = conditions;
    this.#kept = kept;
    this.#doors = new DoorFaces({ tell: (event, at) => reporter.tell(event, at), log: parts.log });
    this.#file = parts.settings;
    this.#settings = this.#inUse();
    this.#version = kept.version;
  }

  /** @throws QuanweiError PORT_TAKEN; STORAGE_UNAVAILABLE */
  static async start(parts: VisionParts): Promise<Vision> {
    const { data, clock, log, broker, version, newId, random } = parts;
    const kept = join(data, 'vision');
    mkdirSync(kept, { recursive: true, mode: 0o700 });
    mkdirSync(join(data, 'media'), { recursive: true, mode: 0o750 });
    const outbox = new Outbox({ file: join(kept, 'waiting.ndjson'), most: WAITING, clock, log });
    const links: { vision: Vision | null } = { vision: null };
    const command = (order: Command): Promise<Reply> =>
      links.vision?.order(order) ?? Promise.resolve({ result: 'error', code: '503', detail: 'starting' });
    const reporter = new Reporter({ broker, version, outbox, clock, log, newId, random, command });
    const conditions = new Conditions({
      file: join(kept, 'told.json'),
      clock,
      log,
      tell: (event) => reporter.tell(event, clock.wall()),
    });
    const vision = new Vision(parts, reporter, conditions, new KeptSettings(join(kept, 'settings.json'), log));
    links.vision = vision;
    // Settings and orders that come while it starts have their turn after it: begun twice, half of it would never end.
    let started: () => void = () => undefined;
    vision.#turn = new Promise<void>((resolve) => {
      started = resolve;
    });
    try {
      // First: who starts slowly must be known to be there, and who has no models must be able to say so.
      reporter.start(conditions);
      vision.#trials = openTrials({
        ...{ data, clock, newId, minFree: parts.media.minFree },
        settings: () => vision.#settings,
      });
      vision.#served = await serve({
        listen: parts.settings.vision.listen,
        token: parts.token,
        data,
        log,
        cameras: () => vision.views(),
        settings: { version: () => vision.#version, put: (text) => vision.#put(text) },
        picture: (id) => vision.#cameras.get(id)?.newest ?? null,
        trials: vision.#trials.served,
        live: (id, stream) => vision.#cameras.get(id)?.live(stream) ?? null,
        ...(parts.settings.vision.doorPictures ? { doorPicture: (picture) => vision.#door(picture) } : {}),
      });
      const trouble = (reason: string | null): void =>
        reporter.health({
          type: 'health',
          condition: 'storage',
          active: reason !== null,
          ...(reason === null ? {} : { reason }),
        });
      vision.#store = await MediaStore.open({ ...parts.media, data, clock, log, trouble });
      vision.#evidence = new Evidence({ store: vision.#store, clock, log, clip: parts.settings.vision.clip });
      await vision.#begin(vision.#evidence);
      vision.#overload = new Overload(
        clock,
        () => vision.#work(),
        (active, reason) => reporter.health({ type: 'health', condition: 'overload', active, reason }),
      );
      started();
      return vision;
    } catch (thrown) {
      started();
      await vision.close();
      throw thrown;
    }
  }

  /** Where the gateway fetches pictures. */
  get address(): string {
    return this.#served?.address ?? '';
  }

  get connected(): boolean {
    return this.#reporter.connected;
  }

  views(): CameraView[] {
    const { active } = this.#conditions;
    const troubles = (id: string) => active.flatMap(({ camera, condition }) => (camera === id ? [condition] : []));
    const watched = [...this.#cameras.values()].map(({ config, status, newest }) => ({
      id: config.id,
      troubles: troubles(config.id),
      state: status.state,
      reason: status.reason ?? null,
      fps: status.fps ?? null,
      pictureAt: newest.at,
    }));
    const broken = [...this.#broken].map(([id, reason]) => ({
      ...{ id, reason, troubles: troubles(id), state: 'offline' as const, fps: null, pictureAt: null },
    }));
    return [...watched, ...broken];
  }

  /** Stops in reverse order of starting; every child process is gone when it resolves. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#turn.catch(() => undefined);
    this.#overload?.stop();
    await this.#trials?.close();
    await this.#end([...this.#cameras.keys()]);
    await this.#engines?.close();
    await this.#store?.close();
    await this.#served?.close();
    await this.#reporter.stop();
  }

  /** What the gateway orders. */
  async order(command: Command): Promise<Reply> {
    if (command.command === 'reload') return this.#reload();
    if (command.command === 'evidence') {
      const there = this.#parts.hasEvidence(command.ref);
      return there ? done(command.ref) : { result: 'error', code: '404', detail: 'there is no such evidence' };
    }
    const camera = this.#cameras.get(command.camera);
    if (camera === undefined) return { result: 'error', code: '404', detail: 'no such camera' };
    const shown = await camera.newest.get();
    if (shown === null || this.#store === null) {
      return { result: 'error', code: '503', detail: 'the camera gives no picture' };
    }
    const about = { camera: command.camera, event: command.id, wall: shown.at, what: 'plain' } as const;
    return done((await this.#store.put(about, shown.jpeg)).ref);
  }

  async #begin(evidence: Evidence): Promise<void> {
    const { catalogue, store, data, clock, log, random } = this.#parts;
    const { cameras, vision } = this.#settings;
    this.#running = neededOf(this.#settings);
    this.#engines = await startEngines(cameras, vision, {
      ...{ catalogue, store, data, clock, log, random },
      health: (event) => this.#reporter.health(event),
    });
    this.#broken.clear();
    for (const camera of cameras) this.#watch(camera, this.#engines, evidence);
  }

  #watch(config: CameraConfig, engines: Engines, evidence: Evidence): void {
    const { clock, log } = this.#parts;
    const hooks: CameraHooks = {
      newId: this.#parts.newId,
      tell: (telling, at, id) => this.#reporter.tell(telling, at, id),
      health: (event) => this.#reporter.health(event),
      pictureHealth: this.#pictureHealth(config),
    };
    this.#conditions.judgedAnew(config.id, hooks.pictureHealth.active);
    const status = (one: Parameters<Reporter['camera']>[1]) => this.#reporter.camera(config.id, one);
    this.#broken.delete(config.id);
    try {
      const opened = this.#parts.open(config, hooks, engines, evidence, this.#settings);
      this.#cameras.set(config.id, new WatchedCamera({ config, ...opened, clock, log, status, health: hooks.health }));
    } catch (thrown) {
      // One camera that cannot be put together must not blind the others. The next reload tries it again.
      log.error({ err: thrown, camera: config.id }, 'a camera could not be put together');
      const reason = messageOf(thrown).slice(0, 200);
      this.#broken.set(config.id, reason);
      status({ state: 'offline', reason });
    }
  }

  /** A fence that is drawn must not make a camera that was turned away forget where it ought to look. */
  #pictureHealth({ id, url, subUrl = url }: CameraConfig): PictureHealth {
    const of = `${url} ${subUrl}`;
    const before = this.#pictures.get(id);
    const health = before?.of === of ? before.health : new PictureHealth();
    this.#pictures.set(id, { of, health });
    return health;
  }

  async #end(ids: readonly string[]): Promise<void> {
    await Promise.all(
      ids.map(async (id) => {
        const camera = this.#cameras.get(id);
        this.#cameras.delete(id);
        this.#broken.delete(id);
        await camera?.stop();
      }),
    );
  }

  /** @throws QuanweiError BAD_CONFIG */
  #reload(): Promise<Reply> {
    return this.#apply(() => {
      this.#file = this.#parts.reload();
    });
  }

  /** Settings of the page; in use a moment later. @throws QuanweiError BAD_REQUEST */
  #put(text: string): void {
    if (!this.#kept.keep(text)) return;
    this.#apply(() => undefined).then(
      ({ result, detail }) => {
        if (result === 'ok') this.#parts.log.info({ detail }, 'settings of the page are in use');
        else this.#parts.log.info({ detail }, 'settings of the page are kept for the next start');
      },
      (thrown: unknown) => this.#parts.log.error({ err: thrown }, 'settings of the page could not be taken up'),
    );
  }

  #inUse(): VisionSettings {
    return { ...this.#file, cameras: this.#kept.over(this.#file.cameras) };
  }

  /** Only what changed starts anew: a fence that is drawn at one camera must not blind the others. */
  #apply(change: () => void): Promise<Reply> {
    const applying = this.#turn.then(async (): Promise<Reply> => {
      const evidence = this.#evidence;
      if (this.#closing || evidence === null) return { result: 'error', code: '503', detail: 'stopping' };
      const before = this.#settings;
      change();
      const { version } = this.#kept;
      const after = this.#inUse();
      const same = (id: string): boolean =>
        JSON.stringify(before.cameras.find((one) => one.id === id)) ===
        JSON.stringify(after.cameras.find((one) => one.id === id));
      const changed = before.cameras.map(({ id }) => id).filter((id) => !same(id));
      const gone = changed.filter((id) => !after.cameras.some((one) => one.id === id));
      this.#settings = after;
      if (this.#engines !== null && covers(this.#running, neededOf(after))) {
        await this.#end(changed);
        for (const camera of after.cameras) {
          if (!this.#cameras.has(camera.id)) this.#watch(camera, this.#engines, evidence);
        }
      } else {
        await this.#end([...this.#cameras.keys()]);
        await this.#engines?.close();
        await this.#begin(evidence);
      }
      this.#version = version;
      for (const id of gone) {
        this.#reporter.forgetCamera(id);
        this.#pictures.delete(id);
      }
      const added = after.cameras.filter(({ id }) => !before.cameras.some((one) => one.id === id)).length;
      return done(`${after.cameras.length} cameras, ${changed.length + added} changed`);
    });
    this.#turn = applying.catch(() => undefined);
    return applying;
  }

  #door(picture: DoorPicture): void {
    const faces = this.#engines?.faces ?? null;
    // Switched off since the start: what is still under way is not looked at.
    if (faces !== null && this.#settings.vision.doorPictures)
      this.#doors.see(picture, faces.reader, faces.roster.roster);
  }

  #work(): Work {
    const work = { done: 0, shed: 0 };
    for (const camera of this.#cameras.values()) {
      work.done += camera.work.done;
      work.shed += camera.work.shed;
    }
    for (const engine of [this.#engines?.people, this.#engines?.faces]) work.shed += engine?.inference.counts.shed ?? 0;
    return work;
  }
}

const done = (detail: string): Reply => ({ result: 'ok', code: '200', detail });

interface Needed {
  readonly people: readonly string[];
  readonly faces: boolean;
}
const neededOf = ({ cameras, vision }: VisionSettings): Needed => ({
  people: peopleModels(cameras),
  faces: asksForFaces(cameras, vision.doorPictures),
});
/** Whether those who run are enough. What nobody asks for any more may stay until the next start. */
const covers = (running: Needed, wanted: Needed): boolean =>
  wanted.people.every((id) => running.people.includes(id)) && (running.faces || !wanted.faces);
