import { flag, input, numbers, type Operator, type Operators } from '../operator.ts';

/**
 * Sizes are numbers in the graph, made for the graph's own input: another input scales them. The three ways of laying the
 * two grids over each other must not be mixed up: the result would look right and be shifted by half a pixel.
 */
const resize =
  (mode: 'linear' | 'nearest'): Operator =>
  (scene) => {
    const { draft, scale } = scene;
    const picture = input(scene, 0);
    const [batch = 1, , , channels = 0] = picture.shape;
    const [y = 0, x = 0] = numbers(scene, 1);
    const [height, width] = [(y * scale.height) / scale.ownHeight, (x * scale.width) / scale.ownWidth];
    if (!Number.isInteger(height) || !Number.isInteger(width)) {
      throw draft.wrong(`${x}×${y} does not scale to whole pixels; the input must be a larger multiple`);
    }
    const corners = flag(scene, 'align_corners');
    const centres = flag(scene, 'half_pixel_centers');
    const name = draft.node('Resize', [draft.cf(picture), '', '', draft.list([batch, channels, height, width])], {
      mode,
      coordinate_transformation_mode: corners ? 'align_corners' : centres ? 'half_pixel' : 'asymmetric',
      // TensorFlow takes floor(x · scale), round(…) with corners, and floor((x + ½) · scale) with centres.
      ...(mode === 'nearest' ? { nearest_mode: corners || centres ? 'round_prefer_ceil' : 'floor' } : {}),
    });
    return draft.value('cf', [batch, height, width, channels], 'float32', name);
  };

export const RESIZES: Operators = {
  ResizeBilinear: resize('linear'),
  ResizeNearestNeighbor: resize('nearest'),
};
