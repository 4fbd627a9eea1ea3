import { expect, test } from 'vitest';
import { sorted } from '../../src/page/views/alarm/evidence.ts';

const one = (kind: 'picture' | 'clip', name: string) => ({ kind, ref: `media/2026/06/01/${name}`, sha256: 'ab' });

test('a sharper picture is shown in place of the first of its moment, whichever came first', () => {
  const first = [one('picture', '1-cam-a-boxes.jpg'), one('picture', '1-cam-a-plain.jpg')];
  const sharper = [one('picture', '1-cam-a-main-boxes.jpg'), one('picture', '1-cam-a-main-plain.jpg')];
  const others = [one('clip', '1-cam-a-clip.mp4')];
  for (const all of [
    [...first, ...sharper, ...others],
    [...others, ...sharper, ...first],
  ]) {
    const { shots, clips } = sorted(all);
    expect(shots).toEqual([{ key: 'media/2026/06/01/1-cam-a', boxes: sharper[0], plain: sharper[1] }]);
    expect(clips).toEqual(others);
  }
  expect(sorted(first).shots).toEqual([{ key: 'media/2026/06/01/1-cam-a', boxes: first[0], plain: first[1] }]);
});
