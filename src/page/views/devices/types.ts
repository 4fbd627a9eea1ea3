import type { z } from 'zod';
import type { MessageView } from '../../../api/routes/device-messages.ts';
import type { ProfileDetail as ProfileDetailSchema, ProfileView } from '../../../api/routes/profiles.ts';

export type { Device, DeviceList } from '../../api/types.ts';
export type Profile = z.output<typeof ProfileView>;
export type ProfileDetail = z.output<typeof ProfileDetailSchema>;
export type KeptMessage = z.output<typeof MessageView>;
export interface Issued {
  readonly device: import('../../api/types.ts').Device;
  readonly secret: string | null;
}
export interface Candidate {
  readonly via: string | null;
  readonly key: string;
  readonly hint: string;
  readonly first: number;
  readonly last: number;
  readonly count: number;
}
