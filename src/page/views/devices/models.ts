import type { Profile } from './types.ts';

/** As an integrator thinks of them: what guards life first, what is built in last. */
export const KINDS = ['face-door', 'door', 'call-point', 'detector', 'hub', 'camera', 'relay', 'vision'] as const;
export type Kind = (typeof KINDS)[number];

/** The models in which every word of `text` occurs, by kind. */
export function grouped(profiles: readonly Profile[], text: string): [Kind, Profile[]][] {
  const words = text.trim().toLowerCase().split(/\s+/);
  const said = ({ id, names, vendor, about }: Profile) =>
    [id, names.zh, names.en, vendor, about.zh, about.en].join('\n').toLowerCase();
  const fitting = profiles.filter((profile) => words.every((word) => said(profile).includes(word)));
  return KINDS.map((kind): [Kind, Profile[]] => [kind, fitting.filter((profile) => profile.kind === kind)]).filter(
    ([, models]) => models.length > 0,
  );
}

/** What an id may be made of; the same as in the configuration. */
export const ID_FORM = '[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}';

/** An id made of the name somebody unknown goes by. */
export const idFrom = (key: string): string =>
  key
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
