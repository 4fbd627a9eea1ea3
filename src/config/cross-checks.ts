import { isEverywhere, isLoopback } from './addresses.ts';
import { wantsVision } from './cameras.ts';
import type { GatewayConfig } from './schema.ts';
import { checkVision } from './vision-checks.ts';
import { type ConfigProblem, type Path, pathText, type YamlSource } from './yaml-source.ts';

/** Alarms about the box itself carry this as their device. */
const RESERVED = 'gateway';

/** What one key's form cannot tell: names that must exist elsewhere, and things better not done. */
export class CrossChecks {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];
  readonly #config: GatewayConfig;
  readonly #source: YamlSource;

  /** @param clear whether what stands at a path stands in the file as it is, not as a reference */
  constructor(config: GatewayConfig, source: YamlSource, clear: (path: Path) => boolean) {
    this.#config = config;
    this.#source = source;
    this.#ids();
    checkVision(config, {
      wrong: (...said) => this.#wrong(...said),
      warn: (...said) => this.#warn(...said),
      locate: (path) => this.#source.locate(path),
    });
    this.#hubs();
    this.#parents();
    this.#releases();
    this.#listeners();
    this.#certificates();
    this.#secrets(clear);
  }

  #wrong(path: Path, what: string, hint: string): void {
    this.problems.push({ where: this.#source.locate(path), path: pathText(path), what, hint });
  }

  #warn(path: Path, what: string, hint: string): void {
    this.warnings.push({ where: this.#source.locate(path), path: pathText(path), what, hint });
  }

  /** Cameras and the vision process are devices like any other. */
  #ids(): void {
    const first = new Map<string, Path>();
    const take = (id: string, path: Path): void => {
      const other = first.get(id);
      if (other !== undefined) {
        this.#wrong(path, `'${id}' is already at ${this.#source.locate(other)}`, 'every id once');
      } else if (id === RESERVED) {
        this.#wrong(path, `'${RESERVED}' means this box itself`, 'choose another id');
      } else first.set(id, path);
    };
    const { devices, cameras, vision } = this.#config;
    for (const [i, { id }] of devices.entries()) take(id, ['devices', i, 'id']);
    if (wantsVision(this.#config)) take(vision.id, ['vision', 'id']);
    for (const [i, { id }] of cameras.entries()) take(id, ['cameras', i, 'id']);
  }

  #hubs(): void {
    const { devices } = this.#config;
    const byId = new Map(devices.map((device) => [device.id, device]));
    devices.forEach(({ id, hub, secret }, i) => {
      if (hub === undefined) return;
      const path = ['devices', i, 'hub'];
      const found = byId.get(hub);
      if (hub === id) this.#wrong(path, 'a device cannot be its own hub', 'name the hub that speaks for it');
      else if (found === undefined) this.#unknown(path, hub);
      else if (found.hub !== undefined) {
        this.#wrong(path, `'${hub}' is itself behind the hub '${found.hub}'`, 'a hub has a login of its own');
      }
      if (secret !== undefined) {
        this.#warn(['devices', i, 'secret'], 'is never used', `its hub ${hub} logs in for it: take the secret out`);
      }
    });
  }

  #parents(): void {
    const { devices } = this.#config;
    const parentOf = new Map(devices.map(({ id, parent }) => [id, parent]));
    devices.forEach(({ id, parent }, i) => {
      const path = ['devices', i, 'parent'];
      const circle = circleFrom(id, parentOf);
      if (parent !== undefined && !parentOf.has(parent)) this.#unknown(path, parent);
      else if (circle !== null) this.#wrong(path, `goes round in a circle: ${circle.join(' → ')}`, 'break it');
    });
  }

  #releases(): void {
    const known = new Set(this.#config.devices.map(({ id }) => id));
    this.#config.alarms.fireReleases.forEach((id, i) => {
      if (!known.has(id)) this.#unknown(['alarms', 'fireReleases', i], id);
    });
  }

  /** What people's lives hang on stands in the file, where nobody removes it by a click. */
  #unknown(path: Path, id: string): void {
    this.#wrong(path, `there is no device '${id}' in this file`, 'a spelling mistake, or add it to devices');
  }

  #listeners(): void {
    const { mqtt, http, vision } = this.#config;
    const taken = new Map<string, string>();
    const take = (url: string, path: Path): void => {
      const address = url.replace(/^\w+:\/\//, '');
      const port = Number(address.slice(address.lastIndexOf(':') + 1));
      if (port > 65_535) this.#wrong(path, `there is no port ${port}`, 'at most 65535');
      const other = taken.get(address);
      if (other !== undefined && port !== 0)
        this.#wrong(path, `${address} is already used by ${other}`, 'another port');
      taken.set(address, pathText(path));
    };
    mqtt.listen.forEach(({ url, clientCertificates }, i) => {
      const path = ['mqtt', 'listen', i];
      take(url, path);
      if (url.startsWith('mqtt://') && isEverywhere(url)) {
        this.#warn(path, 'unencrypted MQTT on every network', 'name the address on the device network, or mqtts://');
      }
      if (url.startsWith('mqtt://') && clientCertificates !== 'off') {
        this.#wrong(path, 'client certificates need mqtts://', 'change the url, or clientCertificates: off');
      }
    });
    take(http.listen, ['http', 'listen']);
    // On another box it is another box's port.
    if (wantsVision(this.#config) && vision.broker === undefined) take(vision.listen, ['vision', 'listen']);
    if (http.listen.startsWith('http://') && !isLoopback(http.listen)) {
      this.#warn(['http', 'listen'], 'passwords of people cross the network in clear', 'use https://');
    }
  }

  #certificates(): void {
    const { mqtt, http, upstream } = this.#config;
    for (const [room, pair] of Object.entries({ mqtt, http, upstream })) {
      if (pair === undefined || (pair.cert === undefined) === (pair.key === undefined)) continue;
      const [there, missing] = pair.cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
      this.#wrong([room, there], `${missing} is missing`, 'cert and key belong together');
    }
  }

  #secrets(clear: (path: Path) => boolean): void {
    const { devices, upstream, cameras, vision, mqtt } = this.#config;
    const open = devices.flatMap(({ secret }, i): Path[] => (secret === undefined ? [] : [['devices', i, 'secret']]));
    if (vision.secret !== undefined) open.push(['vision', 'secret']);
    if (upstream?.password !== undefined) open.push(['upstream', 'password']);
    if (upstream !== undefined && /\/\/[^/@\s]*:[^/@\s]+@/.test(upstream.url)) open.push(['upstream', 'url']);
    cameras.forEach(({ url, subUrl }, i) => {
      if (/\/\/[^/@\s]*:[^/@\s]+@/.test(url)) open.push(['cameras', i, 'url']);
      if (subUrl !== undefined && /\/\/[^/@\s]*:[^/@\s]+@/.test(subUrl)) open.push(['cameras', i, 'subUrl']);
    });
    const [first, ...more] = open.filter(clear);
    if (first !== undefined) {
      const others = more.length === 0 ? '' : ` (and ${more.length} more like it)`;
      this.#warn(first, `a secret stands in the file in clear${others}`, `write \${NAME} and set NAME in secrets.env`);
    }
    const certificates = mqtt.listen.some(({ clientCertificates }) => clientCertificates !== 'off');
    devices.forEach(({ id, secret, hub }, i) => {
      if (secret !== undefined || hub !== undefined || certificates) return;
      this.#warn(['devices', i], `'${id}' cannot log in: it has neither a secret nor a hub`, 'give it a secret');
    });
  }
}

/** The way back to where it began; `null` when it ends, or runs into a circle further on. */
function circleFrom(id: string, parentOf: ReadonlyMap<string, string | undefined>): string[] | null {
  const way = [id];
  for (let next = parentOf.get(id); next !== undefined; next = parentOf.get(next)) {
    if (next === id) return [...way, id];
    if (way.includes(next)) return null;
    way.push(next);
  }
  return null;
}
