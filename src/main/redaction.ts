const REDACTED = '[redacted]';
const SECRET_NAME = /(secret|passw|token|cookie|authorization|credential|^key$|Key$|pic$|scene|idCard|telnum|phone)/i;
/** A reference to the environment says where the secret is, not what it is. */
const REFERENCE = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;
const URL_LOGIN = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/gi;

/** A copy without anything that opens something: values of secret-sounding names, logins inside addresses. */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(URL_LOGIN, `$1${REDACTED}@`);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      SECRET_NAME.test(name) && inner !== null && !(typeof inner === 'string' && REFERENCE.test(inner))
        ? REDACTED
        : withoutSecrets(inner),
    ]),
  );
}
