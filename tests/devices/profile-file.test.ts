import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_PROFILES, loadCatalogue } from '../../src/devices/catalogue.ts';
import { readProfile } from '../../src/devices/profile-file.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { dataDir } from '../support/data-dir.ts';

const MINIMAL = `format: 1
id: bell
names: { zh: 门铃, en: Bell }
vendor: nobody
kind: call-point
about: { zh: 试验, en: a test }
transport: mqtt
parameters:
  prefix: { about: { zh: 前缀, en: prefix }, type: topic, default: bells }
messages:
  - name: ring
    about: { zh: 响, en: rings }
    topic: '{prefix}/{+name}'
    when: { ring: true }
    events:
      - { category: sos, kind: pulse, detail: { name: $topic.name } }
supervision: { lifeSafety: true, silence: { zh: 失联, en: silent } }
example: { id: bell-1 }
samples:
  - name: it rings
    message: ring
    topic: bells/front
    payload: { ring: true }
    events: [{ category: sos, detail: { name: front } }]
`;

const read = (text: string) => readProfile('/p/bell.yaml', Buffer.from(text));

const mistakes = (from: string, to: string) => {
  expect(MINIMAL).toContain(from);
  return read(MINIMAL.replace(from, to)).problems;
};

describe('a mistake in a profile says file:line:column and what is expected', () => {
  it('the minimal profile has none', () => {
    expect(read(MINIMAL).problems).toEqual([]);
  });

  it.each([
    ['an alias of nothing', 'vendor: nobody', 'vendor: *nobody', 4, /no &nobody stands before/, /'\*nobody'/],
    ['not YAML', 'names: { zh', 'names: { { zh', 3, /not YAML/, /indentation/],
    ['an unknown key', 'vendor: nobody', 'vendor: nobody\nvendr: x', 5, /'vendr' is not known here/, /spelling/],
    [
      'an unknown key deep inside',
      'when: { ring: true }',
      'wenn: { ring: true }',
      14,
      /'wenn' is not known here/,
      /adding-a-device/,
    ],
    [
      'a picture that would be stored',
      'when: { ring: true }',
      'when: { ring: true }\n    picture: info.pic',
      15,
      /a picture would be stored/,
      /redact/,
    ],
    ['a missing part', 'vendor: nobody\n', '', 1, /vendor: is missing/, /string/],
    [
      'a category that does not exist',
      'category: sos, kind: pulse',
      'category: sauce, kind: pulse',
      16,
      /events.0.category/,
      /fire\.button/,
    ],
    ['a topic with a wildcard', "'{prefix}/{+name}'", "'{prefix}/+'", 13, /is not a topic level/, /./],
    [
      'a topic with an unknown parameter',
      "'{prefix}/{+name}'",
      "'{praefix}/{+name}'",
      13,
      /\{praefix\} is no parameter/,
      /under parameters/,
    ],
    ['a parameter that cannot stand in a topic', 'type: topic, ', '', 9, /is used in a topic/, /type: level/],
    ['a path that cannot be read', 'ring: true }\n    events', 'a..b: true }\n    events', 14, /is not a path/, /./],
    [
      'a path into prototypes',
      'ring: true }\n    events',
      '__proto__.x: true }\n    events',
      14,
      /cannot be used in a path/,
      /./,
    ],
    ['a capture the topic does not have', '$topic.name', '$topic.nam', 16, /not captured/, /\{\+nam\}/],
    [
      'a pulse with an end',
      'category: sos, kind: pulse',
      'category: sos, kind: pulse, clear: { ring: false }',
      16,
      /a pulse has no end/,
      /when/,
    ],
    [
      'a level without an end',
      'category: sos, kind: pulse',
      'category: sos, kind: level, active: { ring: true }',
      16,
      /a level needs/,
      /over/,
    ],
    [
      'an unknown time zone',
      'when: { ring: true }',
      'when: { ring: true }\n    time: { from: t, zone: Mars/Phobos }',
      15,
      /no time zone/,
      /Asia\/Shanghai/,
    ],
    ['a hub that is none', 'kind: call-point', 'kind: hub', 5, /belong together/, /^$/],
    [
      'a duration without a unit',
      'lifeSafety: true, silence',
      'lifeSafety: true, silentAfter: 60, silence',
      17,
      /silentAfter/,
      /string/,
    ],
    [
      'silence shorter than the heartbeat',
      'lifeSafety: true, silence',
      'lifeSafety: true, heartbeat: 60s, silentAfter: 30s, silence',
      17,
      /not longer than the heartbeat/,
      /two or three/,
    ],
    [
      'a sample of a message that is not there',
      'message: ring\n',
      'message: rang\n',
      21,
      /there is no message rang/,
      /ring/,
    ],
    ['an id that is not the name of the file', 'id: bell\n', 'id: bill\n', 2, /the file is bell\.yaml/, /named after/],
  ])('%s', (_, from, to, line, what, hint) => {
    const [first] = mistakes(from, to);
    expect(first?.what).toMatch(what);
    expect(first?.hint).toMatch(hint);
    expect(first?.where).toMatch(new RegExp(`^/p/bell\\.yaml:${line}:\\d+$`));
  });

  it('a face door without another way in is refused', () => {
    const [first] = mistakes('kind: call-point', 'kind: face-door');
    expect(first?.what).toMatch(/at least one other way in/);
    expect(mistakes('kind: call-point', 'kind: face-door\nalternatives: [card]')).toEqual([]);
  });

  it('a command that names an argument it does not have', () => {
    const command = (payload: string) =>
      mistakes(
        'supervision:',
        `commands:\n  open:\n    about: { zh: 开, en: open }\n    send: [{ topic: '{prefix}/x', payload: ${payload} }]\n    reply: false\nsupervision:`,
      );
    expect(command("'{{ $arg.seconds }}'")[0]?.what).toMatch(/\$arg\.seconds is no argument/);
    expect(command("'{{ ring }}'")[0]?.what).toMatch(/path into a message/);
    expect(command("'{{ $messageId as nothing }}'")[0]?.what).toMatch(/'as nothing' is not known/);
    expect(command("'{{ $messageId }}'")).toEqual([]);
  });

  it('a file that an editor saved in GBK is refused at its first Chinese word, and one with a byte order mark is read', () => {
    const gbk = Buffer.from(MINIMAL.replace('门铃', '@'), 'latin1');
    gbk[gbk.indexOf('@')] = 0xc3;
    expect(readProfile('/p/bell.yaml', gbk).problems).toEqual([
      {
        where: '/p/bell.yaml:3:14',
        what: expect.stringContaining('不是 UTF-8'),
        hint: expect.stringContaining('UTF-8'),
      },
    ]);
    expect(read(`\uFEFF${MINIMAL}`).problems).toEqual([]);
  });

  it('never throws, whatever the file holds', () => {
    fc.assert(
      fc.property(
        fc.nat(MINIMAL.length),
        fc.nat(12),
        fc.string({ maxLength: 12, unit: 'binary' }),
        (at, cut, insert) => {
          const text = MINIMAL.slice(0, at) + insert + MINIMAL.slice(at + cut);
          const { definition, problems } = read(text);
          expect(definition === null).toBe(problems.length > 0);
          for (const { where } of problems) expect(where).toMatch(/^\/p\/bell\.yaml:\d+:\d+$/);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('a file that multiplies itself by aliases is refused', () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\n`;
    expect(read(bomb).problems[0]?.what).toMatch(/alias/i);
  });
});

describe('the catalogue', () => {
  const caught = (work: () => unknown): QuanweiError => {
    try {
      work();
    } catch (thrown) {
      if (thrown instanceof QuanweiError) return thrown;
      throw thrown;
    }
    throw new Error('nothing was thrown');
  };

  it('refuses a directory with a mistake in it, naming the place', () => {
    const dir = dataDir();
    writeFileSync(join(dir, 'bell.yaml'), MINIMAL.replace('category: sos', 'category: sauce'));
    const error = caught(() => loadCatalogue([dir]));
    expect(error.code).toBe('BAD_PROFILE');
    expect(error.where).toBe(`${join(dir, 'bell.yaml')}:16:11`);
  });

  it('adds a site’s own profiles to ours, but never replaces one', () => {
    const dir = dataDir();
    writeFileSync(join(dir, 'bell.yaml'), MINIMAL);
    expect(loadCatalogue([BUILT_IN_PROFILES, dir]).has('bell')).toBe(true);
    copyFileSync(join(BUILT_IN_PROFILES, 'esphome-lock.yaml'), join(dir, 'esphome-lock.yaml'));
    expect(caught(() => loadCatalogue([BUILT_IN_PROFILES, dir])).message).toMatch(/already in/);
  });

  it('says which profiles there are when one is asked for that is not', () => {
    const error = caught(() => loadCatalogue([BUILT_IN_PROFILES]).get('nothing'));
    expect(error.code).toBe('NOT_FOUND');
    expect(error.hint).toContain('face-oem-mqtt');
  });

  it('refuses a directory that is not there, and a hub that leans on a profile that is not', () => {
    expect(caught(() => loadCatalogue(['/nowhere'])).code).toBe('BAD_PROFILE');
    const dir = join(dataDir(), 'p');
    mkdirSync(dir);
    writeFileSync(join(dir, 'frigate-reviews.yaml'), readFileSync(join(BUILT_IN_PROFILES, 'frigate-reviews.yaml')));
    expect(caught(() => loadCatalogue([dir])).message).toMatch(/frigate-camera/);
  });
});
