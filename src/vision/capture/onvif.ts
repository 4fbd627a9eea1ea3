import onvif from 'node-onvif';
import DeviceService from 'node-onvif/lib/modules/service-device.js';
import MediaService from 'node-onvif/lib/modules/service-media.js';
import { z } from 'zod';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { decoded, redact } from './address.ts';
import { WRONG_PASSWORD } from './reason.ts';
import { boundSoap } from './soap-transport.ts';

/** What a camera says of itself and its streams. */
export interface OnvifCamera {
  readonly vendor: string;
  readonly model: string;
  /** Stream addresses with the credentials in them. */
  readonly main: string;
  readonly sub: string;
  readonly snapshot: string | null;
  /** How far its clock is ahead, ms. */
  readonly clockAhead: number;
}

export interface FoundCamera {
  readonly name: string;
  readonly hardware: string;
  /** What goes into `cameras[].url`, without the credentials. */
  readonly address: string;
}

const Text = z.union([z.string(), z.object({ _: z.string() }).transform(({ _ }) => _)]).pipe(z.string().max(500));
const Profile = z.object({
  $: z.object({ token: z.string().min(1).max(200) }),
  VideoEncoderConfiguration: z
    .object({
      Encoding: Text.optional(),
      Resolution: z.object({ Width: z.coerce.number(), Height: z.coerce.number() }).optional(),
    })
    .optional(),
});
const Profiles = z.object({
  GetProfilesResponse: z.object({ Profiles: z.union([z.array(Profile).max(64), Profile.transform((one) => [one])]) }),
});
const Capabilities = z.object({
  GetCapabilitiesResponse: z.object({ Capabilities: z.object({ Media: z.object({ XAddr: Text }) }) }),
});
const Uri = z.object({ MediaUri: z.object({ Uri: Text }) });
const Information = z.object({
  GetDeviceInformationResponse: z.object({ Manufacturer: Text.default(''), Model: Text.default('') }),
});

type ProfileOf = z.output<typeof Profile>;

const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/**
 * Asks a camera for its streams. Whatever addresses it answers with, only the host that was configured is asked, and no
 * credentials go anywhere else.
 * @param address `onvif://USER:PASSWORD@HOST[:PORT][/PATH]`
 * @throws QuanweiError BAD_CONFIG, CAMERA_UNAVAILABLE with a reason to be shown
 */
export async function askCamera(address: string): Promise<OnvifCamera> {
  boundSoap();
  const { host, path, user, password } = partsOf(address);
  const base = `http://${host}`;
  const sign = <S extends { setAuth(user: string, password: string): void }>(service: S): S => {
    if (user !== '') service.setAuth(escaped(user), password);
    return service;
  };
  const device = new DeviceService({ xaddr: `${base}${path}` });
  // Before anything is signed: a signature with another time than the camera's is refused. Not every camera tells it.
  const clockAhead = await device.getSystemDateAndTime().then(
    ({ converted }) => aheadOf(converted),
    () => 0,
  );
  device.time_diff = clockAhead;
  sign(device);
  try {
    const { Capabilities: services } = Capabilities.parse(
      (await device.getCapabilities()).data,
    ).GetCapabilitiesResponse;
    const { pathname } = new URL(services.Media.XAddr, base);
    const media = sign(new MediaService({ xaddr: `${base}${pathname}`, time_diff: clockAhead }));
    const about = Information.parse((await device.getDeviceInformation()).data).GetDeviceInformationResponse;
    const { Profiles: profiles } = Profiles.parse((await media.getProfiles()).data).GetProfilesResponse;
    const { main, sub } = choose(profiles);
    const streamOf = async (profile: ProfileOf) => {
      const options = { ProfileToken: escaped(profile.$.token), Protocol: 'RTSP' as const };
      const answer = z.object({ GetStreamUriResponse: Uri }).parse((await media.getStreamUri(options)).data);
      return own(answer.GetStreamUriResponse.MediaUri.Uri, host, user, password);
    };
    const mainUrl = await streamOf(main);
    const subUrl = sub === main ? mainUrl : await streamOf(sub);
    const snapshot = await media
      .getSnapshotUri({ ProfileToken: escaped(main.$.token) })
      .then(({ data }) => z.object({ GetSnapshotUriResponse: Uri }).parse(data).GetSnapshotUriResponse.MediaUri.Uri)
      .catch(() => null); // Not every camera has one.
    const { Manufacturer: vendor, Model: model } = about;
    return { vendor, model, main: mainUrl, sub: subUrl, snapshot, clockAhead };
  } catch (thrown) {
    throw readable(thrown, address);
  }
}

const Whole = z.coerce.number().pipe(z.int());
const SystemTime = z.object({
  Body: z.object({
    GetSystemDateAndTimeResponse: z.object({
      SystemDateAndTime: z.object({
        UTCDateTime: z.object({
          Date: z.object({ Year: Whole, Month: Whole, Day: Whole }),
          Time: z.object({ Hour: Whole, Minute: Whole, Second: Whole }),
        }),
      }),
    }),
  }),
});

/** By hand: node-onvif sets day, month and year one after the other, and is a month off on the 31st. */
function aheadOf(answer: unknown): number {
  const told = SystemTime.safeParse(answer).data?.Body.GetSystemDateAndTimeResponse.SystemDateAndTime.UTCDateTime;
  if (told === undefined) return 0;
  const { Date: day, Time: time } = told;
  const theirs = Date.UTC(day.Year, day.Month - 1, day.Day, time.Hour, time.Minute, time.Second);
  // A wall clock on purpose: the two are compared as the camera will compare them.
  return Number.isFinite(theirs) && day.Year > 1969 && day.Year < 2200 ? theirs - Date.now() : 0;
}

function partsOf(address: string): { host: string; path: string; user: string; password: string } {
  const [, credentials = '', host = '', path = ''] = /^onvif:\/\/(?:(.*)@)?([^/@\s]+)(\/\S*)?$/.exec(address) ?? [];
  if (!URL.canParse(`http://${host}`)) {
    throw new QuanweiError('BAD_CONFIG', 'expected onvif://USER:PASSWORD@HOST[:PORT]', { where: redact(address) });
  }
  const colon = credentials.includes(':') ? credentials.indexOf(':') : credentials.length;
  const [user, password] = [credentials.slice(0, colon), credentials.slice(colon + 1)].map(decoded);
  return {
    host,
    path: path === '' || path === '/' ? '/onvif/device_service' : path,
    user: user ?? '',
    password: password ?? '',
  };
}

/** The largest, and the smallest that still shows people; pictures one by one (JPEG) only when there is nothing else. */
function choose(profiles: readonly ProfileOf[]): { main: ProfileOf; sub: ProfileOf } {
  const films = profiles.filter((profile) => !/jpeg/i.test(profile.VideoEncoderConfiguration?.Encoding ?? ''));
  const usable = films.length > 0 ? films : profiles;
  const area = ({ VideoEncoderConfiguration: encoder }: ProfileOf) =>
    (encoder?.Resolution?.Width ?? 0) * (encoder?.Resolution?.Height ?? 0);
  const known = usable.filter((profile) => area(profile) > 0).sort((a, b) => area(b) - area(a));
  const [main, second] = known.length > 0 ? known : usable;
  if (main === undefined) throw new QuanweiError('CAMERA_UNAVAILABLE', 'the camera has no stream');
  const smallest = known.findLast((profile) => area(profile) >= 320 * 180);
  return { main, sub: smallest ?? second ?? main };
}

/** An address as the camera tells it, at the host that is known, with the credentials. */
function own(uri: string, host: string, user: string, password: string): string {
  const [, scheme = '', told = '', rest = ''] = /^(rtsps?):\/\/(?:[^@/]*@)?([^/]+)(\S*)$/i.exec(uri.trim()) ?? [];
  if (scheme === '' || /['\\]/.test(rest))
    throw new QuanweiError('CAMERA_UNAVAILABLE', 'its stream has no RTSP address');
  const port = /:\d+$/.exec(told)?.[0] ?? '';
  const credentials = user === '' ? '' : `${plain(user)}:${plain(password)}@`;
  return `${scheme.toLowerCase()}://${credentials}${host.replace(/:\d+$/, '')}${port}${rest}`;
}

const plain = (text: string): string => encodeURIComponent(text).replace(/'/g, '%27');

function readable(thrown: unknown, address: string): QuanweiError {
  const text = redact(messageOf(thrown));
  const where = redact(address);
  if (/not ?authori[sz]ed|unauthori[sz]ed|\b401\b|FailedAuthentication|security token/i.test(text)) {
    return new QuanweiError('CAMERA_UNAVAILABLE', WRONG_PASSWORD, { where });
  }
  if (thrown instanceof QuanweiError) return thrown;
  const what = thrown instanceof z.ZodError ? 'its answer is not that of a camera' : `ONVIF: ${text.slice(0, 160)}`;
  return new QuanweiError('CAMERA_UNAVAILABLE', what, { where, cause: thrown });
}

/**
 * Stream addresses of a configured camera, asked for anew at each try; an RTSP address is its own answer.
 * @param stream which of the two an `onvif://` camera is asked for
 */
export const addressOf = (url: string, stream: 'main' | 'sub') => async (): Promise<string> =>
  url.startsWith('onvif:') ? (await askCamera(url))[stream] : url;

const Probe = z.object({
  name: z.string().max(200).catch(''),
  hardware: z.string().max(200).catch(''),
  xaddrs: z.array(z.string().max(300)).min(1),
});
const MOST_FOUND = 512;

/** Cameras of the local network that answer WS-Discovery; takes three seconds. */
export async function discoverCameras(): Promise<FoundCamera[]> {
  const found = await onvif.startProbe();
  return found.slice(0, MOST_FOUND).flatMap((one) => {
    const probe = Probe.safeParse(one).data;
    const xaddr = probe?.xaddrs.find((address) => URL.canParse(address));
    if (probe === undefined || xaddr === undefined) return [];
    const { host, pathname } = new URL(xaddr);
    const path = pathname === '/onvif/device_service' ? '' : pathname;
    return [{ name: decoded(probe.name), hardware: decoded(probe.hardware), address: `onvif://${host}${path}` }];
  });
}
