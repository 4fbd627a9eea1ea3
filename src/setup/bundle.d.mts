/**
 * Bundles programs into `outdir`, which lies in `dist/`, in the tree they have below `outbase`.
 * @param programs files in TypeScript
 * @returns every file written
 */
export function bundle(programs: readonly string[], outbase: string, outdir: string): Promise<string[]>;
