import { chmodSync, chownSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { faceKey } from './key.ts';
import type { Quality } from './quality.ts';
import { seal, unseal } from './seal.ts';

/** `QWF1`: tells `file(1)` and us whose database this is. */
const APPLICATION_ID = 0x51574631;
const SCHEMA = 1;

export const galleryFile = (data: string): string => join(data, 'faces', 'gallery.db');
export const defaultKeyFile = (data: string): string => join(data, 'keys', 'faces.key');

/**
 * Apart from the journal and from names (GB/T 35273: biometrics are kept apart from identity): a person is a number or code here.
 * No picture is kept. `act` says who did what to whom and never holds anything of a face.
 */
const TABLES = `
CREATE TABLE key_check (only INTEGER PRIMARY KEY CHECK (only = 1), sealed BLOB NOT NULL);
CREATE TABLE person (id TEXT PRIMARY KEY, blocked INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE template (
  person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  model TEXT NOT NULL,
  sealed BLOB NOT NULL,
  quality TEXT NOT NULL,
  enrolled_at INTEGER NOT NULL,
  PRIMARY KEY (person, n)
);
CREATE TABLE act (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  what TEXT NOT NULL,
  person TEXT NOT NULL,
  detail TEXT NOT NULL
);
`;

export interface Template {
  readonly person: string;
  readonly n: number;
  readonly embedding: Float32Array;
}

export interface EnrolledPerson {
  readonly person: string;
  readonly blocked: boolean;
  readonly templates: number;
  /** Models the templates were made with. */
  readonly models: readonly string[];
  /** Wall ms of the first enrolment. */
  readonly since: number;
}

export interface Act {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly what: 'enrolled' | 'forgotten' | 'blocked' | 'unblocked';
  readonly person: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Access {
  /** The data directory. */
  readonly data: string;
  /** Default: DATA/keys/faces.key */
  readonly keyFile?: string | undefined;
  readonly clock: Clock;
}

const CHECK = { person: '', n: 0, model: 'key-check' };

/** Where the templates of enrolled people lie, each sealed on its own. Any number of processes may have it open. */
export class Gallery {
  readonly #db: Database.Database;
  readonly #key: Buffer;
  readonly #clock: Clock;

  private constructor(db: Database.Database, key: Buffer, clock: Clock) {
    this.#db = db;
    this.#key = key;
    this.#clock = clock;
  }

  static exists = (data: string): boolean => existsSync(galleryFile(data));

  /**
   * Makes the gallery, and its key, where there is none yet.
   * @throws QuanweiError NOT_FOUND the key is missing; BAD_CONFIG it is another one; STORAGE_*
   */
  static open({ data, keyFile = defaultKeyFile(data), clock }: Access): Gallery {
    const file = galleryFile(data);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    let db: Database.Database;
    try {
      db = new Database(file, { timeout: 5_000 });
      // SQLite gives its log the mode of the database.
      if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
      prepare(db, file);
    } catch (cause) {
      if (cause instanceof QuanweiError) throw cause;
      throw new QuanweiError('STORAGE_UNAVAILABLE', messageOf(cause), { where: file, cause });
    }
    try {
      const row = db.prepare('SELECT sealed FROM key_check').get() as { sealed: Buffer } | undefined;
      const key = faceKey(keyFile, row === undefined);
      if (row === undefined) {
        // Of two that do this at the same time the first one's stays; both are held against it below.
        db.prepare('INSERT OR IGNORE INTO key_check VALUES (1, ?)').run(seal(key, Float32Array.of(1), CHECK));
      }
      const { sealed } = db.prepare('SELECT sealed FROM key_check').get() as { sealed: Buffer };
      if (unseal(key, sealed, CHECK) === null) {
        throw new QuanweiError('BAD_CONFIG', 'the key does not fit the face templates', {
          where: keyFile,
          hint: 'put the right key back; nobody is compared until then',
        });
      }
      sameOwner(data, [dirname(file), file, `${file}-wal`, `${file}-shm`, dirname(keyFile), keyFile]);
      return new Gallery(db, key, clock);
    } catch (thrown) {
      db.close();
      throw thrown;
    }
  }

  /** Changes with every change made by another connection, of whatever process. */
  get version(): number {
    return this.#db.pragma('data_version', { simple: true }) as number;
  }

  people(): EnrolledPerson[] {
    const rows = this.#db
      .prepare(
        `SELECT p.id, p.blocked, p.since, count(t.n) AS templates, group_concat(DISTINCT t.model) AS models
         FROM person p LEFT JOIN template t ON t.person = p.id GROUP BY p.id ORDER BY p.id`,
      )
      .all() as { id: string; blocked: number; since: number; templates: number; models: string | null }[];
    return rows.map(({ id, blocked, since, templates, models }) => ({
      person: id,
      blocked: blocked === 1,
      templates,
      models: models === null ? [] : models.split(','),
      since,
    }));
  }

  /**
   * Templates of one model, person by person. Those of other models cannot be compared with it; `others` counts them.
   * @throws QuanweiError STORAGE_CORRUPT a row was changed or belongs to somebody else
   */
  templates(model: string): { templates: Template[]; others: number } {
    const rows = this.#db
      .prepare('SELECT person, n, model, sealed FROM template ORDER BY person, n')
      .iterate() as Iterable<{ person: string; n: number; model: string; sealed: Buffer }>;
    const templates: Template[] = [];
    let others = 0;
    for (const { sealed, ...belongs } of rows) {
      if (belongs.model !== model) {
        others += 1;
        continue;
      }
      const embedding = unseal(this.#key, sealed, belongs);
      if (embedding === null) {
        throw new QuanweiError('STORAGE_CORRUPT', `template ${belongs.n} of person ${belongs.person} does not open`, {
          where: this.#db.name,
          hint: `forget and enrol again: quanwei enrol --forget ${belongs.person}`,
        });
      }
      templates.push({ person: belongs.person, n: belongs.n, embedding });
    }
    return { templates, others };
  }

  /** Adds templates to a person's; one transaction with the act. */
  enrol(
    person: string,
    model: string,
    faces: readonly { readonly embedding: Float32Array; readonly quality: Quality }[],
    actor: string,
    detail: Readonly<Record<string, unknown>> = {},
  ): void {
    this.#change(() => {
      const at = this.#clock.wall();
      this.#db.prepare('INSERT OR IGNORE INTO person (id, since) VALUES (?, ?)').run(person, at);
      const { last } = this.#db
        .prepare('SELECT coalesce(max(n), 0) AS last FROM template WHERE person = ?')
        .get(person) as { last: number };
      const insert = this.#db.prepare('INSERT INTO template VALUES (?, ?, ?, ?, ?, ?)');
      faces.forEach(({ embedding, quality }, i) => {
        const n = last + 1 + i;
        insert.run(person, n, model, seal(this.#key, embedding, { person, n, model }), JSON.stringify(quality), at);
      });
      this.#act(actor, 'enrolled', person, { ...detail, templates: faces.length, model });
    });
  }

  /**
   * Removes all that is kept of a person's face, from the write-ahead log as well; the act of forgetting stays.
   * @returns how many templates there were
   * @throws QuanweiError NOT_FOUND
   */
  forget(person: string, actor: string, detail: Readonly<Record<string, unknown>> = {}): number {
    let gone = 0;
    this.#change(() => {
      gone = this.#db.prepare('DELETE FROM template WHERE person = ?').run(person).changes;
      if (this.#db.prepare('DELETE FROM person WHERE id = ?').run(person).changes === 0) throw nobody(person);
      this.#act(actor, 'forgotten', person, { ...detail, templates: gone });
    });
    // secure_delete has put zeros over the rows; the log that held them is emptied, and free pages leave the file.
    this.#db.exec('VACUUM');
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
    return gone;
  }

  /** A blocked person is recognised and told as such, and never opens a door. @throws QuanweiError NOT_FOUND */
  block(person: string, blocked: boolean, actor: string, detail: Readonly<Record<string, unknown>> = {}): void {
    this.#change(() => {
      const { changes } = this.#db.prepare('UPDATE person SET blocked = ? WHERE id = ?').run(blocked ? 1 : 0, person);
      if (changes === 0) throw nobody(person);
      this.#act(actor, blocked ? 'blocked' : 'unblocked', person, detail);
    });
  }

  /** Newest first. */
  acts(limit = 100): Act[] {
    const rows = this.#db.prepare('SELECT * FROM act ORDER BY seq DESC LIMIT ?').all(limit) as (Omit<Act, 'detail'> & {
      detail: string;
    })[];
    return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }));
  }

  close(): void {
    this.#key.fill(0);
    this.#db.close();
  }

  #change(what: () => void): void {
    try {
      this.#db.transaction(what).immediate();
    } catch (cause) {
      if (cause instanceof QuanweiError) throw cause;
      const full = (cause as { code?: unknown }).code === 'SQLITE_FULL';
      throw new QuanweiError(full ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE', messageOf(cause), {
        where: this.#db.name,
        cause,
      });
    }
  }

  #act(actor: string, what: Act['what'], person: string, detail: Readonly<Record<string, unknown>>): void {
    this.#db
      .prepare('INSERT INTO act (at, actor, what, person, detail) VALUES (?, ?, ?, ?, ?)')
      .run(this.#clock.wall(), actor, what, person, JSON.stringify(detail));
  }
}

const nobody = (person: string): QuanweiError =>
  new QuanweiError('NOT_FOUND', `nobody is enrolled as ${person}`, { hint: 'quanwei enrol --list' });

function prepare(db: Database.Database, file: string): void {
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('secure_delete = ON');
  db.pragma('foreign_keys = ON');
  db.pragma('temp_store = MEMORY');
  db.transaction(() => {
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version > SCHEMA) {
      throw new QuanweiError('STORAGE_NEWER', 'a newer version wrote this gallery', { where: file });
    }
    if (version === SCHEMA) return;
    db.exec(TABLES);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${SCHEMA}`);
  }).immediate();
}

/** What root made by hand belongs to whom the data belongs: the service must be able to read it. */
function sameOwner(data: string, files: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(data);
  if (uid === 0) return;
  for (const file of files) {
    if (file.startsWith(data) && existsSync(file) && statSync(file).uid === 0) chownSync(file, uid, gid);
  }
}
