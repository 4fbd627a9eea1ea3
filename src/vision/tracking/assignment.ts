/**
 * Pairs rows with columns so that the sum of what the pairs are worth is greatest; each at most once. The Hungarian method
 * with potentials (Kuhn 1955, Munkres 1957), O(n²·m).
 * @param worth `[rows][columns]`, finite; a pair worth 0 or less is never made
 * @returns the column of each row, or -1
 */
export function assign(worth: readonly (readonly number[])[]): number[] {
  const rows = worth.length;
  const columns = worth[0]?.length ?? 0;
  if (rows === 0 || columns === 0) return new Array<number>(rows).fill(-1);
  // The method needs at least as many columns as rows; a column more for each row stands for "nobody".
  const m = columns + rows;
  const at = (i: number, j: number): number => (j < columns ? -Math.max(0, worth[i]?.[j] ?? 0) : 0);
  const u = new Float64Array(rows + 1);
  const v = new Float64Array(m + 1);
  const owner = new Int32Array(m + 1);
  const way = new Int32Array(m + 1);
  for (let i = 1; i <= rows; i++) {
    owner[0] = i;
    let j0 = 0;
    const least = new Float64Array(m + 1).fill(Number.POSITIVE_INFINITY);
    const used = new Uint8Array(m + 1);
    do {
      used[j0] = 1;
      const i0 = owner[j0] as number;
      let delta = Number.POSITIVE_INFINITY;
      let j1 = 0;
      for (let j = 1; j <= m; j++) {
        if (used[j] === 1) continue;
        const cost = at(i0 - 1, j - 1) - (u[i0] as number) - (v[j] as number);
        if (cost < (least[j] as number)) {
          least[j] = cost;
          way[j] = j0;
        }
        if ((least[j] as number) < delta) {
          delta = least[j] as number;
          j1 = j;
        }
      }
      for (let j = 0; j <= m; j++) {
        if (used[j] === 1) {
          u[owner[j] as number] = (u[owner[j] as number] as number) + delta;
          v[j] = (v[j] as number) - delta;
        } else least[j] = (least[j] as number) - delta;
      }
      j0 = j1;
    } while (owner[j0] !== 0);
    do {
      const j1 = way[j0] as number;
      owner[j0] = owner[j1] as number;
      j0 = j1;
    } while (j0 !== 0);
  }
  const found = new Array<number>(rows).fill(-1);
  for (let j = 1; j <= columns; j++) {
    const i = (owner[j] as number) - 1;
    if (i >= 0 && (worth[i]?.[j - 1] ?? 0) > 0) found[i] = j - 1;
  }
  return found;
}
