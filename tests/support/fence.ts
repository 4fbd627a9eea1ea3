/** A fence across the whole picture, as a camera's configuration has it. */
export const WALL = {
  top: [
    [0, 0.2],
    [1, 0.2],
  ],
  base: [
    [0, 0.8],
    [1, 0.8],
  ],
};
