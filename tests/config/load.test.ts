import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Env, loadConfig, readConfig } from '../../src/config/load.ts';
import type { QuanweiError } from '../../src/kernel/errors.ts';
import { dataDir } from '../support/data-dir.ts';

const SITE = 'site: { id: spring-garden, name: 泉水花园, street: longquan }\n';

function file(text: string | Buffer): string {
  const path = join(dataDir(), 'gateway.yaml');
  writeFileSync(path, text);
  return path;
}

/** Every mistake as `line:column path: what — hint`. */
function mistakes(text: string | Buffer, env: Env = {}): string[] {
  const path = file(text);
  return readConfig(path, env).problems.map(
    (one) => `${one.where.replace(`${path}:`, '')} ${one.path}: ${one.what} — ${one.hint}`,
  );
}

function loaded(text: string, env: Env = {}) {
  return loadConfig(file(text), env);
}

const warnings = (text: string, env: Env = {}): string[] => loaded(text, env).warnings.map(({ what }) => what);

describe('a file with nothing but the site', () => {
  test('is a whole configuration, with every default filled and every path absolute', () => {
    const path = file(SITE);
    const { config, warnings: doubts } = loadConfig(path, {});
    expect(doubts).toEqual([]);
    expect(config.data).toBe(join(path, '../data'));
    expect(config.mqtt.listen).toEqual([{ url: 'mqtt://127.0.0.1:1883', clientCertificates: 'off' }]);
    expect(config.alarms.levels[1]).toEqual({ acknowledge: 60_000, close: 7_200_000 });
    expect(config.retention.minFree).toBe(500_000_000);
  });
});

describe('a mistake is told with its line, its key and what is expected there', () => {
  test.each([
    ['a slip of the finger', `${SITE}htttp: {}\n`, '2:1 htttp: is not known here — did you mean http?'],
    [
      'letters in the wrong order, deep inside',
      `${SITE}devices:\n  - id: door-1\n    profile: face-oem-mqtt\n    sercet: long-enough-1\n`,
      '5:5 devices[0].sercet: is not known here — did you mean secret?',
    ],
    [
      'a key that resembles none',
      `${SITE}backup: { where: /mnt }\n`,
      '2:11 backup.where: is not known here — known here: dir, keep',
    ],
    [
      'a key unknown where two forms are allowed',
      `${SITE}mqtt:\n  listen:\n    - { url: "mqtts://0.0.0.0:8883", clientCertificate: optional }\n`,
      '4:38 mqtt.listen[0].clientCertificate: is not known here — did you mean clientCertificates?',
    ],
    [
      'a duration in words',
      `${SITE}alarms: { window: five minutes }\n`,
      '2:11 alarms.window: does not have the right form — expected: a duration such as 500ms, 60s, 5m, 24h or 180d',
    ],
    ['a number for a duration', `${SITE}alarms:\n  window: 300\n`, '3:3 alarms.window: is a number — expected: text'],
    [
      'one of a few words',
      `${SITE}upstream: { url: "mqtt://c:1", confirm: maybe }\n`,
      '2:32 upstream.confirm: is not known — expected: one of broker, receipt',
    ],
    ['a level that is none', `${SITE}alarms: { levels: { 5: {} } }\n`, '2:21 alarms.levels.5: is not known here'],
    ['a list where one thing is wanted', `${SITE}data: [a, b]\n`, '2:1 data: is a list — expected: text'],
    [
      'a port that is none, of the centre',
      `${SITE}upstream: { url: "mqtt://c:99999" }\n`,
      '2:13 upstream.url: cannot be this — expected: 端口为 1 至 65535 · a port from 1 to 65535',
    ],
    [
      'a port that is none, of a camera',
      `${SITE}cameras: [{ id: c1, url: "rtsp://admin:p:1/2@10.0.0.5:99999/Streaming" }]\n`,
      '2:21 cameras[0].url: cannot be this — expected: 端口为 1 至 65535 · a port from 1 to 65535',
    ],
    [
      'a word for the port of a camera’s second stream',
      `${SITE}cameras: [{ id: c1, url: "rtsp://10.0.0.5/1", subUrl: "rtsp://[fd00::5]:rtsp/2" }]\n`,
      '2:47 cameras[0].subUrl: cannot be this',
    ],
    ['port 0 of the centre', `${SITE}upstream: { url: "mqtts://c:0/x" }\n`, '2:13 upstream.url: cannot be this'],
    [
      'port 0 of the broker, on another box',
      `${SITE}vision: { secret: long-enough-1, broker: "mqtt://[::1]:0" }\n`,
      '2:34 vision.broker: cannot be this',
    ],
    ['too many', `${SITE}http: { sessionHours: 9000 }\n`, '2:9 http.sessionHours: is too big'],
    ['a zone that is none', 'site: { id: a, name: a, street: b, timezone: Mars }\n', '1:36 site.timezone: cannot be'],
  ])('%s', (_name, text, said) => {
    expect(mistakes(text)).toEqual([expect.stringContaining(said)]);
  });

  test('all mistakes are told at once, in the order of the file', () => {
    const path = file('site: { id: a b, name: a }\nhtp: 1\ndevices:\n  - id: x\n');
    let said = '';
    try {
      loadConfig(path, {});
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'BAD_CONFIG', where: path });
      said = (thrown as QuanweiError).message;
    }
    const lines = said.split('\n').map((line) => line.trim());
    expect(lines[0]).toBe('4 mistakes:');
    expect(lines.slice(1).map((line) => /:(\d+):\d+: ([\w.[\]]+)/.exec(line)?.slice(1))).toEqual([
      ['1', 'site.street'],
      ['1', 'site.id'],
      ['2', 'htp'],
      ['4', 'devices[0].profile'],
    ]);
  });

  test('a single mistake is the error itself, with its place', () => {
    const path = file(`${SITE}data: 5\n`);
    expect(() => loadConfig(path, {})).toThrowError(
      expect.objectContaining({ code: 'BAD_CONFIG', where: `${path}:2:1`, message: 'data: is a number' }),
    );
  });

  test('what is not YAML says where it stops being so', () => {
    expect(mistakes(`${SITE}mqtt:\n  listen: [a\nhttp: {}\n`)[0]).toMatch(/^[34]:\d+ : not YAML/);
    expect(mistakes(`${SITE}data: a\ndata: b\n`)[0]).toMatch(/^3:1 : not YAML: .*unique/i);
  });

  test.each([
    ['an empty file', ''],
    ['only a comment', '# nothing\n'],
    ['a list', '- a\n'],
    ['one word', 'hello\n'],
  ])('%s', (_name, text) => {
    expect(readConfig(file(text), {}).problems.length).toBeGreaterThan(0);
  });

  test('a file that is not there, and a directory', () => {
    expect(() => loadConfig('/nonexistent/gateway.yaml', {})).toThrowError(/cannot be read/);
    expect(() => loadConfig(dataDir(), {})).toThrowError(/cannot be read/);
  });

  test('a hundred thousand aliases do not fill the memory', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'.split('').map((name, i) => {
        const before = 'abcdefgh'[i];
        return `${name}: &${name} [${Array(10).fill(`*${before}`).join(',')}]`;
      }),
    ].join('\n');
    expect(readConfig(file(bomb), {}).problems[0]?.what).toMatch(/alias/i);
  });

  test('an alias of nothing is told with its place, each of them, and what to do when it was meant as text', () => {
    expect(
      mistakes(`${SITE}data: *nobody\nprofiles: [&known a, *known, *.b]\nbackup: { dir: *later, keep: &later 1 }\n`),
    ).toEqual([
      "2:7 : *nobody 没有对应的锚点 · no &nobody stands before this *nobody — 是文字就加引号 · if it is text, put it in quotes: '*nobody'",
      expect.stringMatching(/^3:30 : \*\.b /),
      expect.stringMatching(/^4:16 : \*later /),
    ]);
  });

  test.each([
    // 泉水 in GBK happens to be UTF-8 of something else, 花 is not.
    ['in GBK', SITE.replace('泉水花园', '@'), [0xc8, 0xaa, 0xcb, 0xae, 0xbb, 0xa8, 0xd4, 0xb0], '1:36'],
    ['in GBK, further down', `${SITE}# 门口\r\ndevices: # @\n`, [0xc3, 0xc5], '3:12'],
    ['as UTF-16', '@', [0xff, 0xfe, 0x73, 0x00], '1:1'],
    ['cut in the middle of a character', `${SITE}# @`, [0xe6, 0xb3], '2:3'],
  ])(
    'a file that an editor saved %s is refused with its first wrong byte, and what to do',
    (_name, text, bytes, at) => {
      const [before = '', after = ''] = text.split('@');
      const saved = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
      expect(mistakes(saved)).toEqual([
        `${at} : 不是 UTF-8 编码（可能是 GBK） · not UTF-8 (perhaps GBK) — 用编辑器另存为 UTF-8 编码 · save it as UTF-8 in your editor`,
      ]);
    },
  );

  test('a byte order mark before UTF-8 is no part of the file, and moves no column', () => {
    expect(loaded(`\uFEFF${SITE}`).config.site.name).toBe('泉水花园');
    expect(mistakes('\uFEFFsite: { id: a b, name: a, street: b }\n')[0]).toContain('1:9 site.id');
  });

  test('whatever text stands in it, it is refused with a place, or read, but never throws anything else', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const read = readConfig(file(text), {});
        return read.config !== null || read.problems.every(({ where }) => where.includes('gateway.yaml'));
      }),
      { numRuns: 300 },
    );
  });
});

describe('secrets come from outside', () => {
  const DEVICE = `${SITE}devices:\n  - { id: door-1, profile: face-oem-mqtt, secret: "\${DOOR_1}" }\n`;

  test('from the environment, and from systemd’s credentials before it', () => {
    expect(loaded(DEVICE, { DOOR_1: 'from-environment' }).config.devices[0]?.secret).toBe('from-environment');
    const dir = join(dataDir(), 'credentials');
    mkdirSync(dir);
    writeFileSync(join(dir, 'DOOR_1'), 'from-systemd-1\n');
    const env = { DOOR_1: 'from-environment', CREDENTIALS_DIRECTORY: dir };
    expect(loaded(DEVICE, env).config.devices[0]?.secret).toBe('from-systemd-1');
  });

  test('inside a longer text, several at once, and $${ for a plain ${', () => {
    const text = `site: { id: a, name: "\${A}-\${B} $\${A}", street: b }\n`;
    expect(loaded(text, { A: 'one', B: 'two' }).config.site.name).toBe(`one-two \${A}`);
  });

  test('one that is not set is told with its line, and nothing else is said of it', () => {
    expect(mistakes(DEVICE)).toEqual([
      expect.stringContaining(`3:51 : \${DOOR_1} is not set — looked in the environment`),
    ]);
    expect(mistakes(DEVICE, { DOOR_1: '' })).toEqual([expect.stringContaining('is empty')]);
    expect(mistakes(`${SITE}data: \${not a name}\n`)).toEqual([expect.stringContaining('not a reference')]);
  });

  test('a value that comes in cannot become anything but text: no key, no number, no second line', () => {
    const sly = 'x"\n    hub: evil\n  - id: second';
    const { config } = loaded(DEVICE, { DOOR_1: sly });
    expect(config.devices).toHaveLength(1);
    expect(config.devices[0]?.secret).toBe(sly);
    expect(mistakes(`${SITE}mqtt: { maxInflight: "\${N}" }\n`, { N: '5' })[0]).toContain(
      'is text — expected: a number',
    );
  });

  test('no mistake ever repeats a secret', () => {
    const said = JSON.stringify(readConfig(file(DEVICE), { DOOR_1: 'kurz' }));
    expect(said).toContain('at least 8 characters');
    expect(said).not.toContain('kurz');
  });

  test('a key is not filled in, and neither is a comment', () => {
    expect(mistakes(`${SITE}"\${KEY}": 1\n# \${COMMENT}\n`)).toEqual([expect.stringContaining('is not known here')]);
  });

  test('one that stands in the file in clear is warned of once, with its place', () => {
    const text = `${SITE}devices:\n  - { id: a, profile: p, secret: in-the-clear }\n  - { id: b, profile: p, secret: also-clear }\n`;
    const path = file(text);
    expect(loadConfig(path, {}).warnings).toEqual([
      expect.objectContaining({
        where: `${path}:3:26`,
        what: 'a secret stands in the file in clear (and 1 more like it)',
      }),
    ]);
    expect(warnings(DEVICE, { DOOR_1: 'long-enough-1' })).toEqual([]);
    expect(warnings(`${SITE}cameras: [{ id: c, url: "rtsp://admin:12345@10.0.0.2/1" }]\n`)).toHaveLength(1);
  });
});

describe('what must fit together', () => {
  const devices = (...lines: string[]): string =>
    `${SITE}devices:\n${lines.map((line) => `  - { profile: p, secret: "\${S}", ${line} }\n`).join('')}`;
  const env = { S: 'long-enough-1' };

  test.each([
    ['one id twice', devices('id: a', 'id: b', 'id: a'), "5:35 devices[2].id: 'a' is already at"],
    ['an id that means the box itself', devices('id: gateway'), "'gateway' means this box itself"],
    ['an unknown hub', devices('id: a, hub: nowhere'), "devices[0].hub: there is no device 'nowhere' in this file"],
    ['its own hub', devices('id: a, hub: a'), 'a device cannot be its own hub'],
    ['a hub behind a hub', devices('id: a, hub: b', 'id: b, hub: c', 'id: c'), "'b' is itself behind the hub 'c'"],
    ['an unknown parent', devices('id: a, parent: x'), "devices[0].parent: there is no device 'x'"],
    [
      'a door to be released that is not there',
      `${SITE}alarms: { fireReleases: [gate] }\n`,
      "alarms.fireReleases[0]: there is no device 'gate'",
    ],
    [
      'one port twice',
      `${SITE}mqtt: { listen: ["mqtt://127.0.0.1:8080"] }\n`,
      '127.0.0.1:8080 is already used by mqtt.listen[0]',
    ],
    ['a port that is none', `${SITE}mqtt: { listen: ["mqtt://127.0.0.1:99999"] }\n`, 'there is no port 99999'],
    ['a key without its certificate', `${SITE}http: { key: k.pem }\n`, 'http.key: cert is missing'],
    [
      'client certificates without TLS',
      `${SITE}mqtt: { listen: [{ url: "mqtt://127.0.0.1:1", clientCertificates: required }] }\n`,
      'client certificates need mqtts://',
    ],
  ])('%s', (_name, text, said) => {
    expect(mistakes(text, env)).toEqual([expect.stringContaining(said)]);
  });

  test('a circle of parents is told at each device in it, and not at those that lead into it', () => {
    const told = mistakes(devices('id: a, parent: b', 'id: b, parent: a', 'id: c, parent: a'), env);
    expect(told.map((line) => line.split(' — ')[0]?.split(': ').slice(1).join(': '))).toEqual([
      'goes round in a circle: a → b → a',
      'goes round in a circle: b → a → b',
    ]);
  });

  test.each([
    ['a device nobody can log in as', `${SITE}devices: [{ id: a, profile: p }]\n`, /'a' cannot log in/],
    ['a secret its hub makes useless', devices('id: h', 'id: a, hub: h'), /is never used/],
    ['plain MQTT on every network', `${SITE}mqtt: { listen: ["mqtt://0.0.0.0:1883"] }\n`, /unencrypted MQTT/],
    ['plain HTTP beyond this box', `${SITE}http: { listen: "http://10.0.0.1:80" }\n`, /in clear/],
  ])('%s works, and is warned of', (_name, text, said) => {
    expect(warnings(text, env).join('\n')).toMatch(said);
  });

  test('paths are relative to the file, wherever the gateway is started from', () => {
    const text = `${SITE}data: d\nprofiles: [p, /abs]\nhttp: { listen: "https://127.0.0.1:1", cert: c.pem, key: k.pem }\nupstream: { url: "mqtt://c:1", ca: ca.pem }\nbackup: { dir: ../b }\n`;
    const path = file(text);
    const { config } = loadConfig(path, {});
    const here = (name: string): string => join(path, '..', name);
    expect(config).toMatchObject({
      data: here('d'),
      profiles: [here('p'), '/abs'],
      http: { cert: here('c.pem'), key: here('k.pem') },
      upstream: { ca: here('ca.pem') },
      backup: { dir: here('../b') },
    });
  });
});

describe('cameras', () => {
  const camera = (more: string, vision = ''): string =>
    `${SITE}devices: [{ id: gate, profile: p, secret: "\${S}" }]\ncameras:\n  - { id: cam, url: "file:///v.mp4", ${more} }\n${vision}`;
  const env = { S: 'long-enough-1' };
  const fence = (top: string, base: string, more = ''): string =>
    camera(`fences: [{ id: east, top: ${top}, base: ${base}${more} }]`);

  test.each([
    ['a camera with the id of a device', camera('').replace('id: cam', 'id: gate'), /'gate' is already at \S+:2:13/],
    ['a camera with the id of the vision process', camera('').replace('id: cam', 'id: vision-1'), /already at/],
    [
      'two names alike in one camera',
      fence('[[0,0.2],[1,0.2]]', '[[0,0.8],[1,0.8]] }, { id: east, top: [[0,0.2],[1,0.2]], base: [[0,0.8],[1,0.8]]'),
      /'east' is already at/,
    ],
    ['a fence upside down', fence('[[0,0.8],[1,0.8]]', '[[0,0.2],[1,0.2]]'), /fences\[0\].top: lies below base/],
    [
      'a fence drawn from right to left',
      fence('[[1,0.2],[0,0.2]]', '[[0,0.8],[1,0.8]]'),
      /top: does not run from left/,
    ],
    [
      'an edge that stands somewhere else',
      fence('[[0,0.2],[0.4,0.2]]', '[[0.5,0.8],[1,0.8]]'),
      /not below top anywhere/,
    ],
    ['a fence of one point', fence('[[0,0.2]]', '[[0,0.8],[1,0.8]]'), /fences\[0\].top: /],
    [
      'a direction without an inside',
      fence('[[0,0.2],[1,0.2]]', '[[0,0.8],[1,0.8]]', ', direction: in'),
      /inside is missing/,
    ],
    ['a point outside the picture', fence('[[0,0.2],[1.2,0.2]]', '[[0,0.8],[1,0.8]]'), /top\[1\]\[0\]/],
    [
      'an area that is none',
      camera('zones: [{ id: z, points: [[0,0],[0.5,0.5],[1,1]] }]'),
      /zones\[0\].points: encloses nothing/,
    ],
    ['a line that is a point', camera('lines: [{ id: l, points: [[0.5,0.5],[0.5,0.5]] }]'), /single point/],
    ['a door that is none', camera('faces: { opens: gate-2 }'), /faces.opens: there is no device 'gate-2'/],
    [
      'another box without a secret',
      camera('', 'vision: { broker: "mqtt://10.0.0.1:1883" }\n'),
      /vision.broker: secret is missing/,
    ],
    [
      'a port taken twice',
      camera('', 'vision: { listen: "http://127.0.0.1:8080" }\n'),
      /vision.listen: .* already used by|http.listen: .* already used/,
    ],
    [
      'a box whose own vision process could log in by TLS only, and does not know the CA',
      camera('', 'mqtt: { listen: ["mqtts://127.0.0.1:8883"] }\n'),
      /mqtt.listen: the vision process of this box has no way to log in/,
    ],
  ])('%s is refused', (_name, text, said) => {
    expect(mistakes(text, env)).toEqual([expect.stringMatching(said)]);
  });

  test.each([
    ['a fence whose edges cross', fence('[[0,0.2],[1,0.9]]', '[[0,0.8],[1,0.8]]'), /crosses base/],
    [
      'pictures served to the network',
      camera('', 'vision: { listen: "http://0.0.0.0:8090" }\n'),
      /served to the network/,
    ],
    [
      'another box that cannot be asked for pictures',
      camera('', `vision: { broker: "mqtt://10.0.0.1:1883", secret: "\${S}" }\n`),
      /cannot fetch pictures/,
    ],
  ])('%s works, and is warned of', (_name, text, said) => {
    expect(warnings(text, env).join('\n')).toMatch(said);
  });

  test('a fence, a direction with its inside and a door of the file are accepted without a word', () => {
    const text = camera(
      'faces: { opens: gate }, fences: [{ id: e, top: [[0,0.2],[1,0.3]], base: [[0.1,0.8],[0.9,0.7]], direction: in, inside: near }]',
    );
    expect(warnings(text, env)).toEqual([]);
  });

  test('paths of the vision process are relative to the file', () => {
    const path = file(`${SITE}vision: { data: v, models: [m], faceKey: k/f.key, ca: c.pem }\n`);
    const here = (name: string): string => join(path, '..', name);
    expect(loadConfig(path, {}).config.vision).toMatchObject({
      data: here('v'),
      models: [here('m')],
      faceKey: here('k/f.key'),
      ca: here('c.pem'),
    });
  });
});

test('the commented sample is valid and warns of nothing', () => {
  const sample = fileURLToPath(new URL('../../docs/examples/gateway.yaml', import.meta.url));
  const env = new Proxy(
    {},
    { get: (_, name) => (name === 'CREDENTIALS_DIRECTORY' ? undefined : `secret-${String(name)}`) },
  );
  const { config, warnings: doubts } = loadConfig(sample, env);
  expect(doubts).toEqual([]);
  expect(config.devices.length).toBeGreaterThan(3);
});
