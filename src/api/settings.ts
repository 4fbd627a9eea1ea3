import {
  applySection,
  parseSection,
  readSection,
  SECTIONS,
  type Section,
  type SectionKey,
  type SectionProblem,
  type SectionValue,
  sectionOf,
} from '../config/page-settings.ts';
import { GatewayConfig, type UpstreamConfig } from '../config/schema.ts';
import type { Change } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { loginApart, withoutLogin } from '../kernel/addresses.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { invariant, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { dropSecret, keepSecret, readSecret } from './kept-secret.ts';
import { Outdated } from './problems.ts';
import { refuseUnmeant } from './setting-checks.ts';

/** One section as it stands: what was asked for, where that comes from, and whether it is in force. */
export interface SettingView {
  readonly key: SectionKey;
  readonly role: 'manager' | 'admin';
  readonly applies: 'now' | 'restart';
  readonly source: 'default' | 'file' | 'page';
  /** In the form of the file; never with a secret. */
  readonly value: SectionValue;
  /** What it would be without the page. */
  readonly file: SectionValue;
  /** A secret belongs to it and is kept. */
  readonly secret: boolean;
  /** Waits for the next start. */
  readonly pending: boolean;
  /** Rises with every change; 0 when nobody ever changed it here. */
  readonly revision: number;
  readonly changed: number | null;
  readonly by: string | null;
  /** Why what was set here does not hold: an upgrade no longer lets it in. */
  readonly problem: string | null;
}

interface Row {
  name: string;
  value: string | null;
  revision: number;
  changed: number;
  actor: string;
}

/** What is stored of a section: its value, and the name of the secret that belongs to it. */
interface Stored {
  readonly value: SectionValue;
  readonly secret: string | null;
}

interface Override extends Omit<Row, 'value' | 'name'> {
  /** `null`: reset, the file holds. */
  readonly stored: Stored | null;
  readonly problem: string | null;
}

export interface SettingsParts {
  readonly journal: Pick<Journal, 'append' | 'select'>;
  readonly clock: Clock;
  readonly log: Log;
  /** As the file says it, defaults filled. */
  readonly file: GatewayConfig;
}

/**
 * The configuration in force: the file's, with what people set on the page over it. Every change is one transaction
 * with its `setting.changed` entry, which says what it was before. What applies at once is changed in place in
 * `config`, so that whoever reads it at use has the new value; the rest waits for the next start and says so.
 */
export class Settings {
  readonly config: GatewayConfig;
  readonly #parts: SettingsParts;
  readonly #overrides = new Map<SectionKey, Override>();
  readonly #started = new Map<SectionKey, string>();
  readonly #listeners = new Set<(key: SectionKey) => void>();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor({ file, ...parts }: SettingsParts) {
    // A login inside the address is one all the same: kept as a password of its own field is, and shown as little.
    const { upstream } = file;
    this.#parts = { ...parts, file: upstream === undefined ? file : { ...file, upstream: loginApart(upstream) } };
    this.config = structuredClone(this.#parts.file);
  }

  /** Never fails for what is stored: a value that no longer fits is told and the file's holds. @throws QuanweiError STORAGE_* */
  static load(parts: SettingsParts): Settings {
    const settings = new Settings(parts);
    settings.#load();
    return settings;
  }

  #load(): void {
    const { journal, log } = this.#parts;
    for (const row of journal.select<Row>('SELECT * FROM settings')) {
      const key = SECTIONS.find((one) => one === row.name);
      if (key === undefined) continue;
      const { value, revision, changed, actor } = row;
      const stored = value === null ? null : (JSON.parse(value) as Stored);
      const problem = stored === null ? null : this.#takeUp(sectionOf(key), stored);
      if (problem !== null) log.warn({ section: key, problem }, 'what was set on the page does not hold any more');
      this.#overrides.set(key, { stored, revision, changed, actor, problem });
    }
    for (const key of SECTIONS) this.#started.set(key, JSON.stringify(this.#wanted(key)));
  }

  /** @returns why it cannot be used, or `null` */
  #takeUp(section: Section, { value, secret }: Stored): string | null {
    const read = parseSection(section, value);
    if ('problems' in read) return told(read.problems).message;
    const { parsed } = read;
    try {
      refuseUnmeant(section.key, parsed, this.#parts.file);
    } catch (thrown) {
      if (thrown instanceof QuanweiError && thrown.family === 'caller') return thrown.message;
      throw thrown;
    }
    const kept = secret === null || parsed === null ? null : readSecret(this.#parts.file.data, secret);
    applySection(section, this.config, kept === null ? parsed : { ...parsed, password: kept });
    return secret !== null && kept === null
      ? '密码文件不在本机，请重新输入密码 · its password is not on this box; enter it again'
      : null;
  }

  all(): SettingView[] {
    return SECTIONS.map((key) => this.get(key));
  }

  get(key: SectionKey): SettingView {
    const section = sectionOf(key);
    const override = this.#overrides.get(key);
    const file = withoutSecret(readSection(section, this.#parts.file));
    const { value, secret } = this.#wanted(key);
    return {
      key,
      role: section.role,
      applies: section.applies,
      source: (override?.stored ?? null) !== null ? 'page' : same(file, ofDefault(section)) ? 'default' : 'file',
      value,
      file,
      secret: secret !== null,
      pending: section.applies === 'restart' && JSON.stringify(this.#wanted(key)) !== this.#started.get(key),
      revision: override?.revision ?? 0,
      changed: override?.changed ?? null,
      by: override?.actor ?? null,
      problem: override?.problem ?? null,
    };
  }

  /** What waits for the next start. */
  pending(): SectionKey[] {
    return SECTIONS.filter((key) => this.get(key).pending);
  }

  /** Calls `fn` after a section that applies at once has changed. */
  onChange(fn: (key: SectionKey) => void): Cancel {
    this.#listeners.add(fn);
    return { cancel: () => void this.#listeners.delete(fn) };
  }

  /**
   * @param value in the form of the file. A secret that is left out is kept, an empty one removed.
   * @param revision what the person saw
   * @throws QuanweiError BAD_REQUEST with the field; CONFLICT when somebody else changed it meanwhile; STORAGE_*
   */
  set(key: SectionKey, value: unknown, revision: number, actor: string): Promise<SettingView> {
    return this.#inTurn(() => this.#set(sectionOf(key), value, revision, actor));
  }

  async #set(section: Section, given: unknown, revision: number, actor: string): Promise<SettingView> {
    const { key } = section;
    this.#expect(key, revision);
    const read = parseSection(section, given);
    if ('problems' in read) throw told(read.problems);
    refuseUnmeant(key, read.parsed, this.#parts.file);
    const value = given as SectionValue;
    const password = this.secretFor(key, value);
    const { data } = this.#parts.file;
    // Before the commit, so that no stored name is ever without its file; one too many hurts nobody.
    const secret = password === null ? null : keepSecret(data, password);
    const old = this.#overrides.get(key)?.stored?.secret ?? null;
    await this.#store(key, { value: withoutSecret(value), secret }, actor, 'changed');
    if (old !== null) dropSecret(data, old);
    return this.#inForce(section, read.parsed);
  }

  /** Back to what the file says. @throws QuanweiError CONFLICT, STORAGE_* */
  reset(key: SectionKey, revision: number, actor: string): Promise<SettingView> {
    return this.#inTurn(async () => {
      this.#expect(key, revision);
      const old = this.#overrides.get(key)?.stored ?? null;
      if (old === null) return this.get(key);
      const section = sectionOf(key);
      const said = readSection(section, this.#parts.file);
      const read = parseSection(section, said);
      await this.#store(key, null, actor, 'reset to the file');
      if (old.secret !== null) dropSecret(this.#parts.file.data, old.secret);
      // The file may go beyond the page's bounds; what it says was read by the same schema when it was loaded.
      return this.#inForce(section, 'parsed' in read ? read.parsed : said);
    });
  }

  /**
   * The password a value goes with: the one given, or the one kept, which goes only where it went before.
   * @throws QuanweiError BAD_REQUEST when it would go elsewhere
   */
  secretFor(key: SectionKey, value: SectionValue): string | null {
    if (key !== 'upstream' || value === null) return null;
    const given = value['password'];
    if (typeof given === 'string') return given === '' ? null : given;
    const { value: before, secret } = this.#wanted(key);
    if (secret === null) return null;
    if (before?.['url'] !== value['url'] || before?.['username'] !== value['username']) {
      throw new QuanweiError(
        'BAD_REQUEST',
        '地址或用户名变了，请重新输入密码 · address or user name changed: enter the password again',
        {
          where: 'password',
        },
      );
    }
    const { data, upstream } = this.#parts.file;
    const stored = this.#overrides.get(key)?.stored ?? null;
    return stored === null
      ? (upstream?.password ?? null)
      : stored.secret === null
        ? null
        : readSecret(data, stored.secret);
  }

  /** The way to the centre as a value of the page would make it. @throws QuanweiError BAD_REQUEST with the field */
  centreWith(given: unknown): UpstreamConfig {
    const section = sectionOf('upstream');
    const read = parseSection(section, given);
    if ('problems' in read) throw told(read.problems);
    refuseUnmeant('upstream', read.parsed, this.#parts.file);
    const password = this.secretFor('upstream', given as SectionValue);
    const config = structuredClone(this.#parts.file);
    applySection(section, config, { ...read.parsed, password: password ?? undefined });
    invariant(config.upstream !== undefined, 'a centre was given');
    return config.upstream;
  }

  #expect(key: SectionKey, revision: number): void {
    const now = this.get(key);
    if (now.revision === revision) return;
    throw new Outdated(
      new QuanweiError(
        'CONFLICT',
        `${now.by ?? ''} 已先改过，请核对后再保存 · somebody changed it meanwhile; look again`,
        {
          hint: 'changed',
        },
      ),
      now,
    );
  }

  async #store(key: SectionKey, stored: Stored | null, actor: string, what: string): Promise<void> {
    const { journal, clock, file } = this.#parts;
    const before = this.#wanted(key);
    const after = stored ?? fromFile(sectionOf(key), file);
    const revision = (this.#overrides.get(key)?.revision ?? 0) + 1;
    const changed = Math.round(clock.wall());
    await journal.append(
      [
        {
          kind: 'setting.changed',
          actor,
          subject: `setting:${key}`,
          body: {
            what,
            section: key,
            before: before.value,
            after: after.value,
            ...(before.secret === after.secret ? {} : { password: after.secret === null ? 'removed' : 'set' }),
          },
        },
      ],
      [settingChange(key, stored, revision, changed, actor)],
    );
    this.#overrides.set(key, { stored, revision, changed, actor, problem: null });
  }

  #inForce(section: Section, parsed: Record<string, unknown> | null): SettingView {
    if (section.applies === 'now') {
      applySection(section, this.config, parsed);
      for (const fn of this.#listeners) fn(section.key);
    }
    return this.get(section.key);
  }

  #wanted(key: SectionKey): Stored {
    return this.#overrides.get(key)?.stored ?? fromFile(sectionOf(key), this.#parts.file);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/** The row of a setting, written or replaced. @param value anything JSON holds; `null` for none */
export const settingChange = (
  name: string,
  value: unknown,
  revision: number,
  changed: number,
  actor: string,
): Change => ({
  sql: `INSERT INTO settings VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, revision = excluded.revision, changed = excluded.changed,
      actor = excluded.actor`,
  params: [name, value === null ? null : JSON.stringify(value), revision, changed, actor],
});

function fromFile(section: Section, file: GatewayConfig): Stored {
  const value = readSection(section, file);
  return { value: withoutSecret(value), secret: value?.['password'] === undefined ? null : 'file' };
}

function withoutSecret(value: SectionValue): SectionValue {
  if (value === null) return null;
  const { password: _, ...rest } = value;
  return typeof rest['url'] === 'string' ? { ...rest, url: withoutLogin(rest['url']) } : rest;
}

let defaults: GatewayConfig | null = null;
function ofDefault(section: Section): SectionValue {
  defaults ??= GatewayConfig.parse({ site: { id: 'x', name: 'x', street: 'x' } });
  return readSection(section, defaults);
}

const same = (a: SectionValue, b: SectionValue): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The first problem as the error, every one in its hint: a form shows each at its field. */
function told(problems: readonly SectionProblem[]): QuanweiError {
  const [first] = problems;
  return new QuanweiError('BAD_REQUEST', first?.message ?? '', {
    where: first?.where ?? '',
    ...(problems.length > 1 ? { hint: problems.map(({ where, message }) => `${where}: ${message}`).join('\n') } : {}),
  });
}
