import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isScalar, visit } from 'yaml';
import type { ConfigProblem, YamlSource } from './yaml-source.ts';

/** Where the values of references come from. */
export interface References {
  /** @returns `undefined` when there is no such name */
  read(name: string): string | undefined;
  /** For the person who has to put it right. */
  readonly places: string;
}

const REFERENCE = /\$(\$?)\{([^}]*)(\}?)/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
const LARGEST = 64 * 1024;

/**
 * systemd's credentials directory (`LoadCredential=`, one file a name), then the environment (`EnvironmentFile=`).
 * @param env `CREDENTIALS_DIRECTORY` in it names the directory
 */
export function environment(env: Readonly<Record<string, string | undefined>>): References {
  const dir = env['CREDENTIALS_DIRECTORY'];
  return {
    read: (name) => (dir === undefined ? undefined : credential(join(dir, name))) ?? env[name],
    places: dir === undefined ? 'the environment' : `the environment and ${dir}`,
  };
}

function credential(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return text.length > LARGEST ? undefined : text.replace(/\r?\n$/, '');
  } catch (thrown) {
    // A name that cannot be a file, or is none there: the environment may have it.
    if (thrown instanceof Error && 'code' in thrown) return undefined;
    throw thrown;
  }
}

/**
 * Puts the values of `${NAME}` into the string scalars of the file, so that what is secret need not stand in it. Keys
 * stay as they are, and what comes in is text whatever it looks like: it can neither add a line nor become a number.
 * `$${` stands for a plain `${`.
 * @returns what could not be filled in (values are never told), the scalars it was put into, and those it could not be put into
 */
export function fillReferences(
  source: YamlSource,
  references: References,
): { problems: ConfigProblem[]; filled: ReadonlySet<unknown>; unfilled: ReadonlySet<unknown> } {
  const problems: ConfigProblem[] = [];
  const filled = new Set<unknown>();
  const unfilled = new Set<unknown>();
  visit(source.document, {
    Scalar(key, node) {
      if (key === 'key' || !isScalar(node) || typeof node.value !== 'string' || !node.value.includes('${')) return;
      const where = source.at(node.range?.[0] ?? 0);
      const say = (what: string, hint: string): void => {
        problems.push({ where, path: '', what, hint });
        unfilled.add(node);
      };
      node.value = node.value.replace(REFERENCE, (whole, escaped: string, name: string, end: string) => {
        if (escaped !== '') return whole.slice(1);
        if (end === '' || !NAME.test(name)) {
          say('this is not a reference', `write \${NAME}: letters, digits, _ . - ; or $\${ for a plain \${`);
          return whole;
        }
        const value = references.read(name);
        if (value === undefined || value === '') {
          say(
            `\${${name}} ${value === '' ? 'is empty' : 'is not set'}`,
            `looked in ${references.places}: set it, for example in /etc/quanwei/secrets.env`,
          );
          return whole;
        }
        filled.add(node);
        return value;
      });
    },
  });
  return { problems, filled, unfilled };
}
