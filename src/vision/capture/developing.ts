import { bytesOf, type Matrix, type Room, YuvPicture } from './colour.ts';
import { GREY, type Moment, type PlanePlan } from './planes.ts';
import type { Frame } from './source.ts';

type Pictures = Pick<Frame, 'picture' | 'input' | 'grey'>;

/**
 * Makes pictures of moments. What is made rgb of one is written over that of the one before: as frames are lent one at a
 * time, only one is looked at, and who keeps a picture copies it.
 */
export function developing(plan: PlanePlan, matrix: Matrix): (moment: Moment) => Pictures {
  const [picture, input] = [again(), again()];
  const { place } = plan;
  return ([whole, seen, grey]) => ({
    picture: new YuvPicture(whole, plan.picture, matrix, { room: picture }),
    input: new YuvPicture(seen, place, matrix, { place: { ...place, of: plan.input }, room: input }),
    grey: { ...GREY, data: grey },
  });
}

/** The same memory each time. */
function again(): Room {
  let memory = new Uint8Array(0);
  return (length) => {
    if (memory.length !== length) memory = new Uint8Array(length);
    return memory;
  };
}

/** The planes of a frame. */
export const momentOf = ({ picture, input, grey }: Frame): Moment => [bytesOf(picture), bytesOf(input), grey.data];
