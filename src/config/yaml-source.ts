import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';

/** Something in a file that has to be put right, or (as a warning) should be. */
export interface ConfigProblem {
  /** `file:line:column` */
  readonly where: string;
  /** Where in the structure: `devices[3].secret`; empty for the file as a whole. */
  readonly path: string;
  readonly what: string;
  /** What to do about it. */
  readonly hint: string;
}

export type Path = readonly PropertyKey[];

/** `file:line:column` of what stands at a path of keys. */
export type Locate = (path: Path) => string;

/** `['devices', 3, 'secret']` → `devices[3].secret` */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`,
    '',
  );

/** A YAML file that remembers where in it everything stands. */
export class YamlSource {
  readonly file: string;
  readonly document: Document;
  readonly #lines = new LineCounter();

  constructor(file: string, text: string) {
    this.file = file;
    this.document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, stringKeys: true });
  }

  /** What is wrong with it as YAML. */
  mistakes(): ConfigProblem[] {
    const mistakes = this.document.errors.map(({ pos, message }) => ({
      where: this.at(pos[0]),
      path: '',
      what: `not YAML: ${message}`,
      hint: 'check indentation, quotes and colons',
    }));
    // What follows a mistake may have been read as something it is not.
    return mistakes.length > 0 ? mistakes : this.#loose();
  }

  /** Aliases of nothing: most are meant as text, such as a pattern that begins with `*`. */
  #loose(): ConfigProblem[] {
    return looseAliases(this.document).map((alias) => ({
      where: this.at(alias.range?.[0] ?? 0),
      path: '',
      what: `*${alias.source} 没有对应的锚点 · no &${alias.source} stands before this *${alias.source}`,
      hint: `是文字就加引号 · if it is text, put it in quotes: '*${alias.source}'`,
    }));
  }

  at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  }

  /** Where the path's last key stands; of a path that is not there, its deepest part that is. */
  locate(path: Path): string {
    let node: unknown = this.document.contents;
    let offset = startOf(node) ?? 0;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find(
          (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
        );
        if (pair === undefined) break;
        offset = startOf(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof step === 'number') {
        node = node.items[step];
        offset = startOf(node) ?? offset;
      } else break;
    }
    return this.at(offset);
  }
}

function looseAliases(document: Document): Alias[] {
  const anchors = new Set<string>();
  const loose: Alias[] = [];
  visit(document, (_key, node) => {
    if (isAlias(node)) {
      if (!anchors.has(node.source)) loose.push(node);
    } else if (isNode(node) && node.anchor !== undefined) anchors.add(node.anchor);
  });
  return loose;
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);
