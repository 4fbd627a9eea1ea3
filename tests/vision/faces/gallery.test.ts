import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../../src/kernel/clock.ts';
import { defaultKeyFile, Gallery, galleryFile } from '../../../src/vision/faces/gallery.ts';
import { cosine } from '../../../src/vision/faces/roster.ts';
import { RosterWatch } from '../../../src/vision/faces/roster-watch.ts';
import { dataDir } from '../../support/data-dir.ts';
import { closing, direction, faceOf, photoOf, quiet } from './support.ts';

const MODEL = 'fr_feature:test';
const open = (data: string, clock = new SimulatedClock()): Gallery => closing(Gallery.open({ data, clock }));
const threePhotos = (person: number) => [0, 1, 2].map((n) => faceOf(photoOf(person, n)));

describe('what is kept', () => {
  test('a template comes back exactly as it was', () => {
    const data = dataDir();
    open(data).enrol('p1', MODEL, threePhotos(1), 'os:li');
    const { templates } = open(data).templates(MODEL);
    expect(templates.map(({ person, n }) => [person, n])).toEqual([
      ['p1', 1],
      ['p1', 2],
      ['p1', 3],
    ]);
    for (const { embedding, n } of templates) expect(embedding).toEqual(photoOf(1, n - 1));
  });

  test('nothing of a face can be read from the files without the key', () => {
    const data = dataDir();
    const gallery = open(data);
    gallery.enrol('p1', MODEL, threePhotos(1), 'os:li');
    const bytes = Buffer.from(photoOf(1, 0).buffer).subarray(0, 64);
    const files = [galleryFile(data), `${galleryFile(data)}-wal`].filter((file) => existsSync(file));
    expect(files.length).toBe(2);
    for (const file of files) expect(readFileSync(file).includes(bytes)).toBe(false);
    // The same template twice is sealed differently: equal rows would tell equal faces.
    gallery.enrol('p2', MODEL, threePhotos(1), 'os:li');
    const db = closing(new Database(galleryFile(data), { readonly: true }));
    const sealed = db.prepare('SELECT sealed FROM template').pluck().all() as Buffer[];
    expect(new Set(sealed.map((one) => one.toString('hex'))).size).toBe(6);
  });

  test('key and gallery are for their owner alone', () => {
    const data = dataDir();
    open(data).enrol('p1', MODEL, threePhotos(1), 'os:li');
    for (const file of [defaultKeyFile(data), galleryFile(data), `${galleryFile(data)}-wal`]) {
      expect(statSync(file).mode & 0o077).toBe(0);
    }
  });

  test('every act is on record with who and when, without anything of a face', () => {
    const data = dataDir();
    const clock = new SimulatedClock();
    const gallery = open(data, clock);
    gallery.enrol('p1', MODEL, threePhotos(1), 'os:li', { consent: 'form 12' });
    clock.advance(1_000);
    gallery.block('p1', true, 'os:wang');
    gallery.forget('p1', 'os:li');
    expect(gallery.acts().map(({ what, actor, at, person, detail }) => ({ what, actor, at, person, detail }))).toEqual([
      { what: 'forgotten', actor: 'os:li', at: clock.wall(), person: 'p1', detail: { templates: 3 } },
      { what: 'blocked', actor: 'os:wang', at: clock.wall(), person: 'p1', detail: {} },
      {
        what: 'enrolled',
        actor: 'os:li',
        at: clock.wall() - 1_000,
        person: 'p1',
        detail: { templates: 3, model: MODEL, consent: 'form 12' },
      },
    ]);
  });
});

describe('forgetting', () => {
  test('leaves no byte of the templates in any file', () => {
    const data = dataDir();
    const gallery = open(data);
    gallery.enrol('p1', MODEL, threePhotos(1), 'os:li');
    gallery.enrol('p2', MODEL, threePhotos(2), 'os:li');
    const reader = new Database(galleryFile(data), { readonly: true });
    const sealed = reader.prepare("SELECT sealed FROM template WHERE person = 'p1'").pluck().all() as Buffer[];
    reader.close();
    expect(gallery.forget('p1', 'os:li')).toBe(3);
    const files = [galleryFile(data), `${galleryFile(data)}-wal`].filter((file) => existsSync(file));
    for (const file of files) {
      const all = readFileSync(file);
      for (const one of sealed) {
        for (let at = 0; at + 32 <= one.length; at += 32) expect(all.includes(one.subarray(at, at + 32))).toBe(false);
      }
    }
    expect(gallery.templates(MODEL).templates.map(({ person }) => person)).toEqual(['p2', 'p2', 'p2']);
    expect(gallery.people().map(({ person }) => person)).toEqual(['p2']);
  });

  test('somebody who is not there is said', () => {
    expect(() => open(dataDir()).forget('p9', 'os:li')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });
});

describe('keys and damage', () => {
  const enrolled = (): string => {
    const data = dataDir();
    const gallery = Gallery.open({ data, clock: new SimulatedClock() });
    gallery.enrol('p1', MODEL, threePhotos(1), 'os:li');
    gallery.enrol('p2', MODEL, threePhotos(2), 'os:li');
    gallery.close();
    return data;
  };

  test('a missing key is an error and never replaced by a new one', () => {
    const data = enrolled();
    rmSync(defaultKeyFile(data));
    expect(() => open(data)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    expect(existsSync(defaultKeyFile(data))).toBe(false);
  });

  test.each([
    ['another key', 'ab'.repeat(32), 'the key does not fit the face templates'],
    ['no key', 'hello', 'this is no key of face templates'],
  ])('%s is an error, not a gallery of nonsense', (_, text, message) => {
    const data = enrolled();
    writeFileSync(defaultKeyFile(data), text);
    expect(() => open(data)).toThrow(message);
  });

  test('a key that others can read is refused', () => {
    const data = enrolled();
    chmodSync(defaultKeyFile(data), 0o644);
    expect(() => open(data)).toThrow('others may read the key');
  });

  test('the key may lie anywhere, such as a systemd credential', () => {
    const data = dataDir();
    const keyFile = join(dataDir(), 'faces.key');
    writeFileSync(keyFile, 'cd'.repeat(32), { mode: 0o400 });
    const clock = new SimulatedClock();
    closing(Gallery.open({ data, keyFile, clock })).enrol('p1', MODEL, threePhotos(1), 'os:li');
    expect(existsSync(defaultKeyFile(data))).toBe(false);
    expect(closing(Gallery.open({ data, keyFile, clock })).templates(MODEL).templates.length).toBe(3);
  });

  test.each([
    ['moved to another person', "UPDATE template SET person = 'p2', n = 9 WHERE person = 'p1' AND n = 1"],
    ['exchanged with another', 'UPDATE template SET sealed = (SELECT sealed FROM template WHERE n = 2) WHERE n = 1'],
    [
      'changed by one bit',
      "UPDATE template SET sealed = CAST(substr(sealed, 1, 40) || x'00' || substr(sealed, 42) AS BLOB)",
    ],
    ['said to be of another model', `UPDATE template SET model = '${MODEL}', sealed = x'01' WHERE n = 3`],
  ])('a template %s does not open', (_, sql) => {
    const data = enrolled();
    const db = new Database(galleryFile(data));
    db.exec(sql);
    db.close();
    expect(() => open(data).templates(MODEL)).toThrow(expect.objectContaining({ code: 'STORAGE_CORRUPT' }));
  });

  test('templates of another model are counted, not compared', () => {
    const data = enrolled();
    const { templates, others } = open(data).templates('sface:1');
    expect([templates.length, others]).toEqual([0, 6]);
  });
});

describe('a process that matches', () => {
  test('knows who another one enrolled, forgot or blocked within a second', () => {
    const data = dataDir();
    const clock = new SimulatedClock();
    const watch = closing(new RosterWatch({ data, clock }, MODEL, quiet));
    expect(watch.roster.match(photoOf(1, 5))).toBeNull();
    const other = open(data);
    other.enrol('p1', MODEL, threePhotos(1), 'os:li');
    other.enrol('p2', MODEL, threePhotos(2), 'os:li');
    clock.advance(1_000);
    const match = watch.roster.match(photoOf(1, 5));
    expect(match).toMatchObject({ person: 'p1', second: 'p2', blocked: false });
    expect(match?.similarity).toBeGreaterThan(0.7);
    other.block('p1', true, 'os:li');
    clock.advance(1_000);
    expect(watch.roster.match(photoOf(1, 5))?.blocked).toBe(true);
    other.forget('p1', 'os:li');
    clock.advance(1_000);
    expect(watch.roster.match(photoOf(1, 5))?.person).toBe('p2');
  });

  test('recognises nobody while the key is wrong, says why, and everybody when it is right again', () => {
    const data = dataDir();
    const clock = new SimulatedClock();
    const gallery = open(data, clock);
    gallery.enrol('p1', MODEL, threePhotos(1), 'os:li');
    const key = readFileSync(defaultKeyFile(data), 'utf8');
    writeFileSync(defaultKeyFile(data), 'ab'.repeat(32));
    const watch = closing(new RosterWatch({ data, clock }, MODEL, quiet));
    expect(watch.roster.size).toBe(0);
    expect(watch.trouble).toContain('the key does not fit');
    writeFileSync(defaultKeyFile(data), key);
    clock.advance(1_000);
    expect([watch.roster.size, watch.trouble]).toEqual([1, null]);
  });

  test('a person is the mean of their photos', () => {
    const data = dataDir();
    const clock = new SimulatedClock();
    open(data, clock).enrol('p1', MODEL, threePhotos(1), 'os:li');
    const watch = closing(new RosterWatch({ data, clock }, MODEL, quiet));
    const mean = watch.roster.match(direction(1))?.similarity ?? 0;
    expect(mean).toBeGreaterThan(Math.max(...threePhotos(1).map(({ embedding }) => cosine(embedding, direction(1)))));
  });
});
