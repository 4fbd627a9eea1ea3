/** What stands before the last `@` of the host: a name, or a name and a password. */
const LOGIN = /^(\w+:\/\/)([^/]*)@(.*)$/;

/** An address without the name and password that a file may have put into it: nobody who only looks needs them. */
export const withoutLogin = (url: string): string => url.replace(LOGIN, '$1$3');

/** A broker and who says to be whom there. */
interface Way {
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** The same way with the login that its address carries, if any, in fields of its own; read as mqtt.js reads it. */
export function loginApart<T extends Way>(way: T): T {
  const found = LOGIN.exec(way.url);
  if (found === null) return way;
  const [, scheme = '', login = '', rest = ''] = found;
  const url = scheme + rest;
  if (login === '') return { ...way, url };
  const said = decoded(login);
  const [, username = said, password = way.password] = /^(.+):(.+)$/s.exec(said) ?? [];
  return { ...way, url, username, ...(password === undefined ? {} : { password }) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
