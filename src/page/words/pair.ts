/** Both languages of one thing, side by side: neither can be forgotten. */
export type Pair = readonly [zh: string, en: string];
/** The words of one room of the page, by their key. */
export type Words = Readonly<Record<string, Pair>>;
