import { type Logger, pino } from 'pino';

export type Log = Logger;

/** Paths whose values never reach a log, whatever object they hang on. */
const SECRET_PATHS = ['password', 'secret', 'token', 'authorization', 'cookie', 'secretHash', 'pic', 'scene', 'idCard'];

/** JSON lines on standard output (the systemd journal keeps them); level from `QUANWEI_LOG`, else `info`. */
export function createLog(name: string, level = process.env['QUANWEI_LOG'] ?? 'info'): Log {
  return pino({
    name,
    level,
    redact: { paths: [...SECRET_PATHS, ...SECRET_PATHS.map((path) => `*.${path}`)], censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
