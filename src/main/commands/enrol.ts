import { userInfo } from 'node:os';
import { basename } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { iso, SystemClock } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { ADVISED, type Candidate, type EnrolmentVerdict, judge, LIKE, REFUSALS } from '../../vision/faces/enrolment.ts';
import { type Access, Gallery } from '../../vision/faces/gallery.ts';
import { falseAcceptOfAnybody } from '../../vision/faces/rates.ts';
import { Roster } from '../../vision/faces/roster.ts';
import { dataDirectory, loadSettings, type Place, withPlace } from '../settings.ts';
import { Terminal } from '../terminal.ts';
import { openFaces, readFile } from './faces.ts';

/** The usual setting of a camera. */
const THRESHOLD = 0.5;

interface EnrolOptions extends Place {
  readonly person?: string;
  readonly consent?: string;
  readonly key?: string;
  readonly forget?: string;
  readonly block?: true;
  readonly unblock?: true;
  readonly list?: true;
  readonly acts?: true;
  readonly json?: true;
}

export function addEnrol(program: Command): void {
  withPlace(program.command('enrol'))
    .description('录入人脸 enrol a resident’s face from photos, forget it, list who is enrolled; no photo is kept')
    .argument('[photo...]', '照片，建议三张 photos of this one person; three are advised')
    .option('--person <id>', '人员编号，不用姓名 number or code of the person, not the name', personId)
    .option('--consent <ref>', '同意记录编号 reference of the person’s consent; goes into the record', reference)
    .option('--forget <id>', '删除此人全部模板 remove all templates of a person', personId)
    .option('--block', '列入布控 with --person: told as blocked where recognised, never opens a door')
    .option('--unblock', '取消布控 with --person')
    .option('--list', '列出 who is enrolled')
    .option('--acts', '操作记录 who enrolled, forgot or blocked whom')
    .option('--key <file>', '密钥文件 key of the templates (default: vision.faceKey, else DATA/keys/faces.key)')
    .option('--json', 'JSON; one object a line where there are several')
    .action(enrol);
}

async function enrol(photos: string[], options: EnrolOptions): Promise<void> {
  const asked = [options.forget !== undefined, options.list, options.acts, options.person !== undefined];
  if (asked.filter(Boolean).length !== 1) {
    throw new QuanweiError('BAD_USE', 'one of --person ID PHOTO…, --forget ID, --list, --acts', {
      hint: 'quanwei enrol --help',
    });
  }
  const terminal = new Terminal();
  const access = accessOf(options);
  if (options.person !== undefined && photos.length > 0) return add(options.person, photos, options, access, terminal);
  if (photos.length > 0) throw new QuanweiError('BAD_USE', 'photos go with --person ID');
  if (!Gallery.exists(access.data)) {
    const id = options.forget ?? options.person;
    if (id === undefined) return;
    throw new QuanweiError('NOT_FOUND', `nobody is enrolled as ${id}`, { where: access.data });
  }
  const gallery = Gallery.open(access);
  try {
    if (options.list === true) await list(gallery, options, terminal);
    else if (options.acts === true) await acts(gallery, options, terminal);
    else if (options.forget !== undefined) await forget(gallery, options.forget, options, terminal);
    else if (options.person !== undefined) await block(gallery, options.person, options, terminal);
  } finally {
    gallery.close();
  }
}

/** Where the vision process keeps faces: its own directory, where it has one. */
function accessOf(options: EnrolOptions): Access {
  const clock = new SystemClock();
  if (options.data !== undefined && options.config === undefined) {
    return { data: dataDirectory(options), keyFile: options.key, clock };
  }
  const { data, vision } = loadSettings(options).config;
  const own = options.data === undefined ? (vision.data ?? data) : data;
  return { data: own, keyFile: options.key ?? vision.faceKey, clock };
}

/** Who is at the terminal; behind `sudo`, who called it. */
const actor = (): string => `os:${process.env['SUDO_USER'] ?? userInfo().username}`;

async function add(
  person: string,
  files: readonly string[],
  options: EnrolOptions,
  access: Access,
  terminal: Terminal,
): Promise<void> {
  const running = await openFaces(options);
  // The gallery first: with the wrong key there is no use in looking at photos.
  const gallery = Gallery.open(access);
  try {
    const { model } = running.reader;
    const errors: { name: string; error: string }[] = [];
    const candidates: Candidate[] = [];
    for (const file of files) {
      try {
        candidates.push({ name: file, faces: await readFile(running.reader, file, false) });
      } catch (thrown) {
        if (!(thrown instanceof QuanweiError) || thrown.code !== 'BAD_PICTURE') throw thrown;
        errors.push({ name: file, error: thrown.message });
      }
    }
    const { templates } = gallery.templates(model);
    const roster = Roster.of(templates, gallery.people());
    const known = templates.filter((template) => template.person === person);
    const verdict = judge(person, candidates, known, roster);
    if (verdict.faces.length > 0) {
      gallery.enrol(
        person,
        model,
        verdict.faces,
        actor(),
        options.consent === undefined ? {} : { consent: options.consent },
      );
      if (options.block === true) gallery.block(person, true, actor());
    } else process.exitCode = 1;
    if (verdict.photos.some(({ accepted }) => !accepted) || errors.length > 0) process.exitCode = 1;
    const people = gallery.people().length;
    const total = known.length + verdict.faces.length;
    await (options.json === true
      ? terminal.json({ person, enrolled: verdict.faces.length, templates: total, ...told(verdict, errors, people) })
      : say(person, verdict, errors, { people, total, consent: options.consent !== undefined }, terminal));
  } finally {
    gallery.close();
    await running.close();
  }
}

const told = (verdict: EnrolmentVerdict, errors: readonly object[], people: number): object => ({
  photos: verdict.photos.map((photo) => ({
    ...photo,
    reasons: photo.reasons.map((code) => ({ code, ...REFUSALS[code] })),
  })),
  errors,
  agreement: verdict.agreement,
  alike: verdict.alike,
  people,
  falseAccept: { threshold: THRESHOLD, people, perStranger: falseAcceptOfAnybody(THRESHOLD, people) },
});

async function say(
  person: string,
  { photos, faces, agreement, alike }: EnrolmentVerdict,
  errors: readonly { name: string; error: string }[],
  { people, total, consent }: { people: number; total: number; consent: boolean },
  terminal: Terminal,
): Promise<void> {
  for (const { name, error } of errors) await terminal.line(`✗ ${basename(name)}: ${error}`);
  for (const { name, accepted, reasons } of photos) {
    const why = reasons.map((code) => `${REFUSALS[code].zh} ${REFUSALS[code].en}`).join('; ');
    await terminal.line(`${accepted ? '✓' : '✗'} ${basename(name)}${why === '' ? '' : `: ${why}`}`);
  }
  if (agreement !== null && agreement < LIKE) {
    await terminal.line(
      `✗ 照片不像同一人，未录入 the photos are not of one person (cosine ${agreement.toFixed(2)}); nothing was enrolled`,
    );
  }
  for (const other of alike) {
    await terminal.line(
      `! 与 ${other.person} 很像 looks much like ${other.person} (cosine ${other.similarity.toFixed(2)})：请核对 check who is who`,
    );
  }
  if (faces.length === 0) return terminal.line(`✗ 未录入 ${person} was not enrolled`);
  await terminal.line(
    `✓ 已录入 enrolled ${person}: ${faces.length} 张 (共 ${total} in all)；照片不保存 no photo is kept`,
  );
  if (total < ADVISED) await terminal.line(`! 建议至少 ${ADVISED} 张 at least ${ADVISED} photos are advised`);
  if (!consent) await terminal.line('! 未填同意记录编号 no consent was named (--consent REF)');
  await rate(people, terminal);
}

function rate(people: number, terminal: Terminal): Promise<void> {
  const chance = falseAcceptOfAnybody(THRESHOLD, people);
  return terminal.line(
    `  ${people} 人 people: 陌生人被误认的概率约 a stranger is taken for somebody in about ${percent(chance)}（阈值 at ${THRESHOLD}, 每次单看 a single look）`,
  );
}

const percent = (share: number): string => `${(share * 100).toPrecision(2)} %`;

async function list(gallery: Gallery, options: EnrolOptions, terminal: Terminal): Promise<void> {
  const people = gallery.people();
  for (const one of people) {
    if (options.json === true) await terminal.json({ ...one, since: iso(one.since) });
    else {
      const mark = one.blocked ? '  布控 blocked' : '';
      await terminal.line(`${one.person}  ${one.templates} 模板 templates  ${iso(one.since)}${mark}`);
    }
  }
  if (options.json !== true) await rate(people.length, terminal);
}

async function acts(gallery: Gallery, options: EnrolOptions, terminal: Terminal): Promise<void> {
  for (const act of gallery.acts(1_000).reverse()) {
    if (options.json === true) await terminal.json({ ...act, at: iso(act.at) });
    else await terminal.line(`${iso(act.at)}  ${act.actor}  ${act.what}  ${act.person}  ${JSON.stringify(act.detail)}`);
  }
}

async function forget(gallery: Gallery, person: string, options: EnrolOptions, terminal: Terminal): Promise<void> {
  const templates = gallery.forget(person, actor());
  if (options.json === true) return terminal.json({ person, forgotten: templates });
  await terminal.line(`✓ 已删除 ${person} 的 ${templates} 个模板；运行中的识别在几秒内生效`);
  await terminal.line(
    `  Forgotten; what runs stops knowing ${person} within seconds. Door terminals are the gateway’s to clear.`,
  );
}

async function block(gallery: Gallery, person: string, options: EnrolOptions, terminal: Terminal): Promise<void> {
  if ((options.block === true) === (options.unblock === true)) {
    throw new QuanweiError('BAD_USE', 'name photos, or --block or --unblock', { hint: 'quanwei enrol --help' });
  }
  gallery.block(person, options.block === true, actor());
  if (options.json === true) return terminal.json({ person, blocked: options.block === true });
  await terminal.line(options.block === true ? `✓ 已布控 blocked ${person}` : `✓ 已取消布控 unblocked ${person}`);
}

function personId(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) {
    throw new InvalidArgumentError(
      'letters, digits, dot, dash and underscore, at most 64; a number or code, not a name',
    );
  }
  return text;
}

function reference(text: string): string {
  if (text.length === 0 || text.length > 200) throw new InvalidArgumentError('1 to 200 characters');
  return text;
}
