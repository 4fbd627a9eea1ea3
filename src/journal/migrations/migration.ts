/** One step of the schema. Never changed once released: old boxes have run it. */
export interface Migration {
  /** Rises by one from file to file; the file's name starts with it. */
  readonly version: number;
  readonly name: string;
  /** Statements run in one transaction together with the row that records the version. */
  readonly sql: string;
}
