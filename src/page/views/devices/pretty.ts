const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * JSON with a line for each value; anything else as it came. The values are not read: JSON.parse would round a number
 * of 19 digits, and what is shown is what the device wrote.
 */
export function pretty(raw: string): string {
  try {
    JSON.parse(raw);
  } catch {
    return raw;
  }
  const tokens = raw.match(TOKENS) ?? [];
  let depth = 0;
  let out = '';
  const line = () => `\n${'  '.repeat(depth)}`;
  tokens.forEach((token, i) => {
    const opened = /^[{[]$/.test(tokens[i - 1] ?? '');
    if (token === '{' || token === '[') {
      out += token;
      depth += 1;
      if (!/^[}\]]$/.test(tokens[i + 1] ?? '')) out += line();
    } else if (token === '}' || token === ']') {
      depth -= 1;
      out += opened ? token : line() + token;
    } else if (token === ',') out += token + line();
    else out += token === ':' ? ': ' : token;
  });
  return out;
}
