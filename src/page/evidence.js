import { el } from './dom.js';
import { t } from './words.js';

/** A reference as the gateway gives it; anything else is not asked for. */
const REFERENCE = /^media\/\d{4}\/\d{2}\/\d{2}\/[A-Za-z0-9][A-Za-z0-9._-]{0,150}\.(jpg|mp4)$/;
const addressOf = (ref, copy = false) => `/api/${ref}${copy ? '?copy=1' : ''}`;

/**
 * Pictures and clips of an alarm. The picture with boxes is shown, the one without is a tap away.
 * @param all `{ kind, ref, sha256 }`, pictures first
 * @param role who may not look is told what there is and nothing more
 */
export function evidence(all, role) {
  const known = all.filter(({ ref }) => REFERENCE.test(ref));
  if (known.length === 0) return null;
  if (role === 'viewer') return el('p.empty', { text: t('evidenceNotYours') });
  return el('div.evidence', {}, ...known.map((one) => (one.kind === 'clip' ? clip(one) : picture(one))));
}

function picture({ ref, sha256 }) {
  const gone = el('p.empty', { text: t('evidenceGone'), hidden: true });
  const image = el('img', { src: addressOf(ref), alt: t('evidence'), loading: 'lazy', title: `sha256 ${sha256}` });
  image.addEventListener('error', () => {
    image.hidden = true;
    gone.hidden = false;
  });
  return el('a.shot', { href: addressOf(ref), target: '_blank', rel: 'noopener' }, image, gone);
}

function clip({ ref, sha256 }) {
  return el(
    'figure.shot',
    {},
    el('video', { src: addressOf(ref), controls: true, muted: true, preload: 'metadata', title: `sha256 ${sha256}` }),
    el('figcaption', {}, el('a', { href: addressOf(ref, true), download: true, text: t('copyClip') })),
  );
}
