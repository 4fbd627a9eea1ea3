/** What is used of node-onvif, which has no types of its own. */
declare module 'node-onvif' {
  const onvif: { startProbe(): Promise<unknown[]> };
  export default onvif;
}
declare module 'node-onvif/lib/modules/soap.js' {
  const soap: {
    _request(
      address: { protocol: string; host: string; path: string; auth?: string | null },
      soap: string,
    ): Promise<string>;
  };
  export default soap;
}
declare module 'node-onvif/lib/modules/service-device.js' {
  export default class DeviceService {
    constructor(options: { xaddr: string });
    setAuth(user: string, password: string): void;
    time_diff: number;
    getSystemDateAndTime(): Promise<{ converted: unknown }>;
    getCapabilities(): Promise<{ data: unknown }>;
    getDeviceInformation(): Promise<{ data: unknown }>;
  }
}
declare module 'node-onvif/lib/modules/service-media.js' {
  export default class MediaService {
    constructor(options: { xaddr: string; time_diff: number });
    setAuth(user: string, password: string): void;
    getProfiles(): Promise<{ data: unknown }>;
    getStreamUri(options: { ProfileToken: string; Protocol: 'RTSP' }): Promise<{ data: unknown }>;
    getSnapshotUri(options: { ProfileToken: string }): Promise<{ data: unknown }>;
  }
}
