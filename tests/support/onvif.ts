import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface OnvifDevice {
  readonly user: string;
  readonly password: string;
  /** How far its clock is ahead, ms. */
  readonly ahead?: number;
  /** Of its streams, `/main` and `/sub`; asked for at each answer. Default 554. */
  readonly rtsp?: () => number;
  /** What it does instead of answering. */
  readonly instead?: (response: ServerResponse) => void;
}

/** A camera's ONVIF service, as far as streams are asked for: signatures are checked, their time to within 5 s. */
export async function serveOnvif({
  user,
  password,
  ahead = 0,
  rtsp = () => 554,
  instead,
}: OnvifDevice): Promise<{ host: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      if (instead !== undefined) {
        instead(response);
        return;
      }
      const [, what = ''] = /<(?:tds|trt):(\w+)/.exec(body) ?? [];
      asked.push(what);
      const free = what === 'GetSystemDateAndTime' || signed(body, user, password, ahead);
      response.statusCode = free ? 200 : 400;
      response.setHeader('content-type', 'application/soap+xml');
      response.end(envelope(free ? answer(what, ahead, body, rtsp()) : FAULT));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** WS-Security UsernameToken Profile 1.0, §3.1 */
function signed(body: string, user: string, password: string, ahead: number): boolean {
  const text = (name: string) => new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)<`).exec(body)?.[1] ?? '';
  const created = text('Created');
  const hash = createHash('sha1');
  hash.update(Buffer.concat([Buffer.from(text('Nonce'), 'base64'), Buffer.from(created), Buffer.from(password)]));
  const fresh = Math.abs(Date.parse(created) - (Date.now() + ahead)) < 5_000;
  return fresh && text('Username') === user && text('Password') === hash.digest('base64');
}

const envelope = (content: string): string =>
  `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema"><s:Body>${content}</s:Body></s:Envelope>`;

const FAULT =
  '<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang="en">Sender not Authorized</s:Text></s:Reason></s:Fault>';

function answer(what: string, ahead: number, body: string, rtsp: number): string {
  const now = new Date(Date.now() + ahead);
  const profile = (token: string, encoding: string, width: number, height: number) =>
    `<Profiles token="${token}"><tt:Name>${token}</tt:Name><tt:VideoEncoderConfiguration token="e"><tt:Encoding>${encoding}</tt:Encoding><tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution></tt:VideoEncoderConfiguration></Profiles>`;
  const answers: Record<string, string> = {
    GetSystemDateAndTime: `<GetSystemDateAndTimeResponse><SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:UTCDateTime><tt:Time><tt:Hour>${now.getUTCHours()}</tt:Hour><tt:Minute>${now.getUTCMinutes()}</tt:Minute><tt:Second>${now.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${now.getUTCFullYear()}</tt:Year><tt:Month>${now.getUTCMonth() + 1}</tt:Month><tt:Day>${now.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime></SystemDateAndTime></GetSystemDateAndTimeResponse>`,
    // An address that is of no use from here, as behind a router.
    GetCapabilities:
      '<GetCapabilitiesResponse><Capabilities><tt:Media><tt:XAddr>http://192.0.2.7/onvif/media</tt:XAddr></tt:Media></Capabilities></GetCapabilitiesResponse>',
    GetDeviceInformation:
      '<GetDeviceInformationResponse><Manufacturer>Acme</Manufacturer><Model>Eye 1</Model></GetDeviceInformationResponse>',
    GetProfiles: `<GetProfilesResponse>${profile('tiny', 'H264', 176, 144)}${profile('sub', 'H264', 640, 360)}${profile('main', 'H264', 1920, 1080)}${profile('jpeg', 'JPEG', 3840, 2160)}</GetProfilesResponse>`,
    GetStreamUri: `<GetStreamUriResponse><MediaUri><tt:Uri>rtsp://192.0.2.7:${rtsp}/${/ProfileToken>([^<]*)/.exec(body)?.[1]}?a=1&amp;b=2</tt:Uri></MediaUri></GetStreamUriResponse>`,
    GetSnapshotUri:
      '<GetSnapshotUriResponse><MediaUri><tt:Uri>http://192.0.2.7/snap.jpg</tt:Uri></MediaUri></GetSnapshotUriResponse>',
  };
  return answers[what] ?? FAULT;
}
