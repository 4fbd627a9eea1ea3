/** Where a device is told to connect. */
export interface Address {
  readonly host: string;
  readonly port: string;
  readonly secure: boolean;
}

const ANYWHERE = /^(0\.0\.0\.0|::|127\.[\d.]+|::1|localhost)$/;

/**
 * The addresses of the box as a device sees them. A listener on every address is reached by the name this page was
 * opened with, unless that is the box itself.
 * @param listening `mqtt://0.0.0.0:1883`, as the gateway says
 * @param opened host this page was opened with
 */
export function addressesOf(listening: readonly string[], opened: string): Address[] {
  return listening.flatMap((url) => {
    const [, scheme = '', host = '', port = ''] = /^(mqtts?):\/\/\[?(.+?)\]?:(\d+)$/.exec(url) ?? [];
    if (port === '') return [];
    const reached = /^(0\.0\.0\.0|::)$/.test(host) ? opened : host;
    return [{ host: reached, port, secure: scheme === 'mqtts' }];
  });
}

/** Whether only this box itself would find it under that name. */
export const isOnlyHere = (host: string): boolean => ANYWHERE.test(host);

export interface Piece {
  readonly text: string;
  /** What is to be typed in place of the words before it. */
  readonly value?: string;
}

/** The words of our profiles for what differs from device to device. */
const SPOKEN: readonly (readonly [pattern: RegExp, what: 'address' | 'id' | 'secret'])[] = [
  [/本机地址和端口|本机地址|本机(?!登记)|[Aa]ddress and port of this box|this box/, 'address'],
  [/该设备的密钥|密钥|its secret/, 'secret'],
  [/设备编号|本机登记的编号|编号|the device id|its id/, 'id'],
];

/** A step of a profile's set-up, with the values of this very device behind the words that mean them. */
export function filledIn(step: string, values: Partial<Record<'address' | 'id' | 'secret', string>>): Piece[] {
  const any = new RegExp(SPOKEN.map(([pattern]) => `(${pattern.source})`).join('|'), 'g');
  const pieces: Piece[] = [];
  let from = 0;
  for (const found of step.matchAll(any)) {
    const what = SPOKEN[found.slice(1).findIndex((group) => group !== undefined)]?.[1];
    const value = what === undefined ? undefined : values[what];
    if (value === undefined) continue;
    const end = found.index + found[0].length;
    pieces.push({ text: step.slice(from, end), value });
    from = end;
  }
  if (from < step.length) pieces.push({ text: step.slice(from) });
  return pieces;
}
