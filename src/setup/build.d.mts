/** `dist/` from `src/`, only when a source changed since. @param root the checkout */
export function buildProgram(root: string, parts: { say(line: string): void }): Promise<void>;
